"""List a dataset: its partitions, rows, drops by reason, and inputs; or the verdicts, or the pairs of look-alikes.

slac show                                     every dataset, with its partitions and rows
slac show videos                              every partition of one dataset
slac show videos --category judo --window 2026-01-05     one partition: columns, drops, inputs, first rows
slac show fetched --category judo             the weeks of one category, and what was dropped, by file name
slac show verdicts [--category judo]          what each category is judged by, and what people decided
slac show lineage --release r0001             the rounds of its network: scores, hard clips, votes, later releases
slac show retraining                          what was decided each day on a new release and its network, and why
slac show card --release r0001                the model card of its network, and where the files are
slac show duplicates [--category judo] [--window 2026-01-05]     videos that were dropped for one that shows the same

A key may also be written as key=value. With --json each row is one JSON object on a line of its own.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from slac_tasks import config
from slac_tasks.admission.told_apart import LookalikePair, lookalike_pairs, told_apart
from slac_tasks.errors import NotMade, WrongArguments
from slac_tasks.given.flags import whole
from slac_tasks.given.words import printable, wanted
from slac_tasks.model import Window
from slac_tasks.networks.committees import weights_of
from slac_tasks.progress import counted, print_json
from slac_tasks.reports.measures import Judged, by_category
from slac_tasks.reports.model_card import CARD as EVALUATED
from slac_tasks.storage.categories import check_categories
from slac_tasks.storage.datasets import ALL, CANDIDATES, MODELS, VIDEOS
from slac_tasks.storage.declarations import Dataset
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.registered import check_registered
from slac_tasks.storage.tables import Datasets

_DAYS = 30
"""Days whose decisions are listed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `slac show`."""
    parser.add_argument(
        "dataset",
        nargs="?",
        help=f"one of {', '.join(ALL)}; or {', '.join(_OTHERS)}",
    )
    parser.add_argument("keys", nargs="*", help="key=value, the same as --key value")
    for key in dict.fromkeys(key for dataset in ALL.values() for key in dataset.keys):
        parser.add_argument(
            f"--{key}", dest="named", action="append", default=[], metavar="VALUE", type=f"{key}={{}}".format,
            help="key of a partition; all keys of a dataset show one",
        )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--rows", type=whole(0), default=5, help="how many rows of a partition to print (default 5)")


def main(arguments: argparse.Namespace) -> None:
    """Print what is asked for."""
    words = [*arguments.keys, *arguments.named]
    if arguments.dataset in _OTHERS:
        show, names = _OTHERS[arguments.dataset]
        show(as_json=arguments.json, **_keys(words, names))
        return
    datasets = _datasets()
    if arguments.dataset is None:
        _show_all(datasets, as_json=arguments.json)
        return
    if arguments.dataset not in ALL:
        instead = wanted(arguments.dataset, (*ALL, *_OTHERS))
        raise WrongArguments(f"dataset {arguments.dataset!r}: unknown, {instead}")
    dataset = ALL[arguments.dataset]
    keys = _keys(words, dataset.keys)
    if "category" in keys:
        check_categories(datasets.store, [keys["category"]], [dataset.name])
    if set(keys) != set(dataset.keys):
        _show_partitions(datasets, dataset, keys, as_json=arguments.json)
    elif arguments.json:
        _print_one(datasets, dataset, keys, arguments.rows)
    else:
        _show_one(datasets, dataset, keys, arguments.rows)


def _datasets() -> Datasets:
    return Datasets(open_store(config.load().store_url))


def _keys(words: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    keys = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or key not in names:
            raise WrongArguments(f"key {word!r}: want {' '.join(f'--{name} ...' for name in names)}")
        keys[key] = value
    return keys


def _show_verdicts(*, as_json: bool, category: str | None = None) -> None:
    ledger = open_ledger()
    check_registered(ledger, [category] if category else [])
    judged = by_category(ledger.all(Judged, "web_measures", category=None))
    rows = [row for row in ledger.rows("web_quality") if category in (None, row["category"])]
    if as_json:
        print_json({**row, "measures": [asdict(each) for each in judged.get(row["category"], ())]} for row in rows)
        return
    for row in rows:
        standing = "" if row["standing"] == row["verdict"] else f", {row['standing']}"
        print(f"{row['category']}: {row['verdict'] or 'not judged yet'}{standing}")
        for measure in judged.get(row["category"], ()):
            print(f"  {measure.line}")
        if row["decision"]:
            stands = "" if row["stands"] else "; the reasons are no longer the same"
            print(printable(f"  {row['decision']} by {row['person']}: {row['decision_reason']}{stands}"))


def _show_retraining(*, as_json: bool) -> None:
    rows = open_ledger().rows("retrain_decisions", days=_DAYS)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        print(f"{row['day']}: {'retrain, ' + row['release'] if row['retrain'] else 'wait'}: {row['reason']}")
    if not rows:
        print("nothing was decided yet; the DAG `check_labels` decides each day, as `slac plan --for pretrain` does")


def _show_duplicates(*, as_json: bool, category: str | None = None, window: str | None = None) -> None:
    window = str(Window.parse(window)) if window else None
    ledger = open_ledger()
    check_registered(ledger, [category] if category else [])
    pairs = lookalike_pairs(ledger, category=category, window=window)
    if as_json:
        print_json(asdict(pair) for pair in pairs)
        return
    for pair in pairs:
        print(printable(_pair(pair)))
    print(f"{counted(len(pairs), 'pair')} of look-alikes; `slac duplicates differ VIDEO OTHER` undoes one")
    for word in told_apart(ledger):
        print(printable(f"told apart: {word.video_id} and {word.other_id} by {word.person}: {word.reason}"))


def _pair(pair: LookalikePair) -> str:
    other = f"{pair.other_source} {pair.other_source_id}, {pair.other_window}" if pair.other_source else "unknown"
    line = (
        f"{pair.category} {pair.window}  {pair.video_id} ({pair.source} {pair.source_id}) was dropped for "
        f"{pair.other_id} ({other}): {pair.evidence or 'evidence unknown'}"
    )
    return f"{line}; told apart by {pair.person}, and not admitted yet" if pair.person else line


def _need_release(what: str, release: str) -> None:
    if not release:
        raise WrongArguments(f"{what}: --release is missing, want e.g. --release r0001")


def _show_lineage(*, as_json: bool, release: str = "") -> None:
    datasets = _datasets()
    _need_release("lineage", release)
    ledger = open_ledger()
    (model,) = datasets.rows(MODELS, release=release)
    weights = weights_of(model)
    if as_json:
        print_json(ledger.rows("lineage", weights=[weights]))
        return
    print(
        f"release {release}: {counted(model.clips, 'clip')} taught {model.architecture}, whose "
        f"scores have the key {weights}"
    )
    if decided := ledger.one("promotion", release=release):
        joined = f"joined committee {decided['committee']}" if decided["committee"] else "was not promoted"
        print(f"it {joined}: {decided['reason']}")
    for line in lineage_lines(ledger.rows("lineage", weights=[weights])):
        print(line)


def _show_card(*, as_json: bool, release: str = "") -> None:
    if as_json:
        raise WrongArguments("card: is a text and has no rows, want it without --json")
    datasets = _datasets()
    _need_release("card", release)
    (model,) = datasets.rows(MODELS, release=release)
    if model.card is None:
        raise NotMade(f"release {release}: its network was trained before there were cards; `slac pretrain --remake`")
    evaluated = f"reports/v1/release={release}/{EVALUATED}"
    name = evaluated if datasets.store.exists(evaluated) else f"weights/{model.card}.md"
    print(datasets.store.get(name).decode(), end="")
    print(f"\nnetwork: weights/{model.network}.safetensors\ncard: {name}\nstore: {datasets.store.url}")


def lineage_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the rounds that were mined from a network's scores, one in a line, and what became of their votes."""
    lines = []
    for row in rows:
        batches = f", batches {row['first_batch']} to {row['last_batch']}" if row["first_batch"] is not None else ""
        later = ", ".join(row["releases"]) or "no release yet"
        lines.append(
            f"{row['round']} {row['category']}: {counted(row['clips'], 'clip')} scored, {row['chosen']:,} chosen, "
            f"{row['asked']:,} asked, {counted(row['votes'], 'vote')}{batches} -> {later}"
        )
    return lines or ["no round was mined from its scores yet"]


def _show_all(datasets: Datasets, *, as_json: bool) -> None:
    if not as_json:
        print(f"{'dataset':<12} {'partitions':>10} {'rows':>10} {'dropped':>8}  meaning")
    for dataset in ALL.values():
        manifests = [datasets.need(dataset, **keys) for keys in datasets.partitions(dataset)]
        rows = sum(manifest.rows for manifest in manifests)
        dropped = sum(sum(manifest.dropped.values()) for manifest in manifests)
        if as_json:
            counts = {"partitions": len(manifests), "rows": rows, "dropped": dropped}
            print_json([{"dataset": dataset.name, **counts, "meaning": dataset.meaning}])
            continue
        print(f"{dataset.name:<12} {len(manifests):>10,} {rows:>10,} {dropped:>8,}  {dataset.meaning}")


def _show_partitions(datasets: Datasets, dataset: Dataset[Any], keys: dict[str, str], *, as_json: bool) -> None:
    reasons: Counter[str] = Counter()
    partitions = list(datasets.partitions(dataset, **keys))
    for found in partitions:
        manifest = datasets.need(dataset, **found)
        reasons.update(manifest.dropped)
        if as_json:
            counts = {"rows": manifest.rows, "dropped": manifest.dropped}
            print_json([{**found, **counts, "generation": manifest.generation, "written_at": manifest.written_at}])
            continue
        where = " ".join(f"{key}={value}" for key, value in found.items())
        made = f"g{manifest.generation:04d}  {manifest.written_at}"
        print(f"{where}  {counted(manifest.rows, 'row')}  {made}{_drops(manifest.dropped)}")
        if dataset.name in _VIDEO_DROPS:
            _print_drops(datasets, manifest)
    if as_json:
        return
    if not partitions:
        print(" ".join([f"{dataset.name}: no partition yet", *(f"{key}={value}" for key, value in keys.items())]))
        return
    print(f"dropped in all{_drops(reasons)}" if reasons else "nothing dropped")


def _print_one(datasets: Datasets, dataset: Dataset[Any], keys: dict[str, str], rows: int) -> None:
    """Print one partition as one object of JSON."""
    manifest = datasets.need(dataset, **keys)
    names = _names(datasets, manifest)
    first = datasets.read(dataset, **keys).slice(0, rows).to_pylist()
    print_json(
        [
            {
                **keys, "generation": manifest.generation, "written_at": manifest.written_at, "rows": manifest.rows,
                "made_by": asdict(manifest.made_by), "made_from": dict(manifest.made_from),
                "drops": [{**asdict(drop), "name": names.get(drop.item)} for drop in manifest.drops], "first": first,
            }
        ]
    )  # fmt: skip


def _show_one(datasets: Datasets, dataset: Dataset[Any], keys: dict[str, str], rows: int) -> None:
    manifest = datasets.need(dataset, **keys)
    print(
        f"{manifest.address} g{manifest.generation:04d}: {counted(manifest.rows, 'row')}, written {manifest.written_at}"
    )
    made_by = manifest.made_by
    print(f"made by {made_by.stage} of slac {made_by.code}; settings {dict(made_by.settings)}")
    for address, made in manifest.made_from.items():
        print(f"made from {address} {made[:22]}")
    _print_drops(datasets, manifest)
    if withdrawn := sum(1 for _ in datasets.store.names(f"{manifest.address}/withdrawn/")):
        print(f"withdrawn since: {counted(withdrawn, 'video')}, listed in {manifest.address}/withdrawn/")
    for column in dataset.columns:
        unknown = ", may be unknown" if column.nullable else ""
        print(f"  {column.name:<18} {str(column.dtype)[:24]:<24} {column.meaning}{unknown}")
    for number, row in enumerate(datasets.read(dataset, **keys).slice(0, rows).to_pylist()):
        print(f"row {number}: {row}")


_VIDEO_DROPS = ("fetched", "videos")
"""Datasets of which a person looks for files that are missing: every list of their partitions names the drops."""


def _names(datasets: Datasets, manifest: Manifest) -> Mapping[str, str]:
    """Return what the sources call the videos that a partition dropped, by candidate_id and by video_id."""
    keys = {key: manifest.keys[key] for key in CANDIDATES.keys if key in manifest.keys}
    if not manifest.drops or set(keys) != set(CANDIDATES.keys):
        return {}
    names: dict[str, str] = {}
    if datasets.manifest(CANDIDATES, **keys):
        names |= {row.candidate_id: row.source_id for row in datasets.rows(CANDIDATES, **keys)}
    if datasets.manifest(VIDEOS, **keys):
        names |= {row.video_id: row.source_id for row in datasets.rows(VIDEOS, **keys)}
    return names


def _print_drops(datasets: Datasets, manifest: Manifest) -> None:
    names = _names(datasets, manifest)
    for drop in manifest.drops:
        again = " (a later try may succeed)" if drop.retryable else ""
        what = f"{names[drop.item]} ({drop.item})" if drop.item in names else drop.item
        print(printable(f"dropped {what}: {drop.reason}{': ' + drop.detail if drop.detail else ''}{again}"))


def _drops(reasons: Mapping[str, int]) -> str:
    return "  dropped " + ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items())) if reasons else ""


_OTHERS: Mapping[str, tuple[Callable[..., None], Sequence[str]]] = {
    "verdicts": (_show_verdicts, ("category",)),
    "lineage": (_show_lineage, ("release",)),
    "card": (_show_card, ("release",)),
    "retraining": (_show_retraining, ()),
    "duplicates": (_show_duplicates, ("category", "window")),
}
"""What is shown beside the datasets: by its name, what shows it, and the keys that it takes."""
