"""Import an existing dataset: its videos become candidates, its labels labels of kind `imported`.

slac import clips.csv --as hacs --manifest hacs.jsonl
slac import anet.json video_info.csv --as anet --manifest /data/anet/videos.jsonl --media '/data/anet/{id}.mp4'
slac import train.csv --as mini --manifest mini.jsonl --category-map classes.csv      columns label,category
slac import HACS_segments.json --as hacs_segments --manifest segments.jsonl --segments

Writes the manifest, which `collect.sources` names from then on, and the dataset imported (origin). What is no label is
set aside; `slac show imported origin=hacs` lists it with its reason. Safe to run again: the same files with the same
map change nothing. Of two under one name at once one goes on, and the other ends with 75. People's votes overrule
imported labels wherever both speak. With --segments the times are those at which actions begin and end, as in
ActivityNet, HACS Segments, THUMOS14, MultiTHUMOS and Charades: in the videos of a release they teach `slac localize`
its ends, as the segments that people cut do.
"""

import argparse
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from slac_tasks import config
from slac_tasks.annotations.readers import READERS
from slac_tasks.annotations.reading import names_of, read
from slac_tasks.annotations.rows import Row
from slac_tasks.collect.sources.manifest import place_of
from slac_tasks.errors import NotMade, WrongArguments
from slac_tasks.given import cells, folders, lists
from slac_tasks.given.words import fault_of, printable
from slac_tasks.outputs import whole
from slac_tasks.progress import counted, print_line
from slac_tasks.storage import records
from slac_tasks.storage.datasets import IMPORTED
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.records import Record
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.imported_labels import ImportedLabels, Locate, Offered, imported_labels, locator

STAGE = "import"
_FIRST = 5
"""So many lines that were set aside are printed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("files", nargs="+", type=Path, help="files of the dataset, or one folder of classes")
    parser.add_argument("--as", dest="origin", required=True, metavar="NAME", help="what the dataset is called here")
    parser.add_argument(
        "--manifest",
        required=True,
        type=Path,
        help="where its videos are listed: a .jsonl, in a folder that holds them if they are files",
    )
    parser.add_argument(
        "--format", choices=sorted(READERS), help="format of the files; default: what they hold decides"
    )
    parser.add_argument("--category-map", type=Path, help="csv with the columns label and category (display name)")
    parser.add_argument(
        "--segments", action="store_true", help="actions begin and end at the times of the labels, which are no clips"
    )
    parser.add_argument(
        "--media", default="", help="path or address of a video, with {id} or {name}; default: the list's, or YouTube"
    )


def main(arguments: argparse.Namespace) -> None:
    """Write the dataset and the manifest, and print what became of every line."""
    if arguments.manifest.suffix.lower() != ".jsonl":
        raise WrongArguments(f"--manifest {arguments.manifest}: want a name that ends with .jsonl")
    of_classes = [str(path.absolute()) for path in arguments.files if path.is_dir()]
    if len(of_classes) > 1:
        # A video would be looked for below the first of them.
        raise WrongArguments(f"import {arguments.origin}: {len(of_classes)} folders are given, want one of all classes")
    folder = next(iter(of_classes), None)
    source = str(arguments.manifest.absolute())
    if fault := fault_of(source):
        raise WrongArguments(f"--manifest '{printable(source)}' {fault}, want a path in UTF-8")
    locate = locator(arguments.media, folder)
    if arguments.media or folder:
        _check_place(arguments.manifest, locate)
    datasets = Datasets(open_store(config.load().store_url))
    given = _map(arguments.category_map) if arguments.category_map else {}
    found = read(arguments.files, arguments.format)
    imported = imported_labels(found, source, given, locate, dense=arguments.segments)
    if not imported.rows:
        # The first of each reason: one line that is odd must not hide why all others cannot be used.
        firsts = {drop.reason: drop for drop in reversed(imported.drops)}
        whys = "".join(f"; {one.item}: {why}: {one.detail}" for why, one in sorted(firsts.items()))
        raise WrongArguments(f"import {arguments.origin}: holds no label that can be used, of {found}{whys}")
    ledger = open_ledger()
    # Of two at once the manifest would be of one, and the labels of the other.
    with ledger.alone(IMPORTED.address({"origin": arguments.origin})):
        _write_manifest(arguments.manifest, imported.videos)
        manifest = _stored(datasets, arguments.origin, imported, given | {"": arguments.media}, arguments.files)
        records.record(ledger, [Record.of(manifest)])
    ledger.close()
    _print(arguments.origin, imported, source)


def _map(path: Path) -> dict[str, str]:
    """Return the category of each class, by the dataset's own name.

    Raises:
        WrongArguments: a line is none, holds what a spreadsheet made of a word, or a class is there twice.

    """
    found: dict[str, str] = {}
    try:
        for line in lists.table(path, "category map", needed=("label", "category"), known=("label", "category")):
            try:
                label, category = (cells.text(line.cells.get(name)) or "" for name in ("label", "category"))
            except cells.Unclear as error:
                raise WrongArguments(f"category map {path} line {line.number}: a word {error}") from error
            if line.fault or not label.strip() or not category.strip():
                why = line.fault or "a word is missing"
                raise WrongArguments(f"category map {path} line {line.number}: {why}, want a label and a category")
            if fault := fault_of(label + category):
                word = printable(f"{label},{category}")[:80]
                raise WrongArguments(f"category map {path} line {line.number}: '{word}' {fault}, want text in UTF-8")
            if found.setdefault(label.strip(), category.strip()) != category.strip():
                raise WrongArguments(f"category map {path} line {line.number}: {label!r} is mapped twice")
    except OSError as error:
        raise WrongArguments(f"category map {path}: cannot be read: {error.strerror}") from error
    return found


def _check_place(manifest: Path, locate: Locate) -> None:
    """Refuse a place of all videos from which `discover` would take none of them.

    Raises:
        WrongArguments: it is no address, and lies outside of the manifest's folder.

    """
    try:
        place_of(manifest, locate(Row(place="any line", video="video")) or "")
    except ValueError as error:
        raise WrongArguments(f"--manifest {manifest}: of a video the {error}") from error


def _write_manifest(path: Path, videos: Iterable[Offered]) -> None:
    with whole(path) as part:
        lines = (json.dumps(vars(video), ensure_ascii=False) + "\n" for video in videos)
        part.write_text("".join(lines), encoding="utf-8")


def _stored(
    datasets: Datasets, origin: str, imported: ImportedLabels, knobs: Mapping[str, str], files: Sequence[Path]
) -> Manifest:
    """Return the manifest of the labels: the one that is there, if it holds the same of the same files."""
    made_from = {f"file {name}": _mark(path) for name, path in zip(names_of(files), files, strict=True)}
    settings = {"import": dict(knobs)}
    try:
        current = datasets.need(IMPORTED, origin=origin)
    except NotMade:
        current = None
    table = IMPORTED.table(imported.rows)
    if current is not None and (dict(current.made_from), current.drops) == (made_from, imported.drops):
        if datasets.read_all(IMPORTED, [current]).equals(table):
            return current
    return datasets.write(
        IMPORTED, [table], keys={"origin": origin}, stage=STAGE, settings=settings, made_from=made_from,
        drops=imported.drops,
    )  # fmt: skip


def _mark(path: Path) -> str:
    """Return the SHA-256 of a file; of a folder, that of the names in it that are not hidden."""
    if path.is_dir():
        names = "\n".join(str(each.relative_to(path)) for each in folders.entries(path, []))
        return hashlib.sha256(names.encode("utf-8", "surrogateescape")).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _print(origin: str, imported: ImportedLabels, source: str) -> None:
    for one in imported.drops[:_FIRST]:
        print_line(printable(f"import: set aside {one.item}: {one.reason}: {one.detail}"))
    reasons = Counter(drop.reason for drop in imported.drops)
    aside = ", ".join(f"{count:,} {reason}" for reason, count in sorted(reasons.items()))
    if aside:
        print_line(f"import: set aside in all: {aside}; `slac show imported origin={origin}` lists them")
    if imported.remarks:
        odd = Counter(one.reason for one in imported.remarks)
        print_line("import: taken all the same: " + ", ".join(f"{count:,} {why}" for why, count in sorted(odd.items())))
    counts = f"{counted(len(imported.rows), 'label')} of {counted(len(imported.videos), 'video')}"
    categories = counted(len({row.category for row in imported.rows}), "category")
    print_line(
        f"import: {origin}: {counts} in {categories}; name {source} in collect.sources, then "
        "`slac register --from-sources`"
    )
