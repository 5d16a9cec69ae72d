"""Votes as files: export all of them, import those that were cast elsewhere, or hand out tasks for Label Studio.

  slac votes export votes.parquet                       (or .csv) every vote that sync has collected
  slac votes import votes.csv                           each once; what is known already stays as it is
  slac votes tasks --category judo --media https://media.example/slac > tasks.json
  slac votes tasks --config > config.xml

Columns: task (category/clip_id), worker, label (yes, no, unsure, broken), time (ISO 8601 with a zone), seconds; an
export also has vote_id, guideline_version, round and supersedes. A file with a line that makes no sense is refused
whole, and every such line is named. A second answer by one person to one clip supersedes the first.
"""

import argparse
import csv
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from slac_tasks import config
from slac_tasks.errors import BrokenContract, WrongArguments
from slac_tasks.storage.datasets import VOTES
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification import label_studio
from slac_tasks.verification.imports import GivenAnswer, bring, parse, vote_id

NEEDED = ("task", "worker", "label", "time", "seconds")
SHOWN = 10
"""Bad lines that a refusal names."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(dest="what", required=True)
    for name, text in (("export", "write every collected vote"), ("import", "read votes that were cast elsewhere")):
        verbs.add_parser(name, help=text).add_argument("file", type=Path, help="path that ends in .csv or .parquet")
    tasks = verbs.add_parser("tasks", help="print open clips as Label Studio tasks")
    tasks.add_argument("--category", help="category key")
    tasks.add_argument("--media", help="address below which a web server shows the store's objects")
    tasks.add_argument("--config", action="store_true", help="print the labelling config instead")


def main(arguments: argparse.Namespace) -> None:
    """Do what the verb says."""
    if arguments.what == "export":
        datasets = Datasets(open_store(config.load().store_url))
        print(f"votes: {export(datasets, arguments.file)} votes in {arguments.file}")
    elif arguments.what == "import":
        ledger = open_ledger()
        with ledger.transaction():
            found = bring(ledger, checked(arguments.file))
            if found["refused"]:
                raise BrokenContract(
                    f"{arguments.file}: {found['refused']} answers are about clips that are not asked, by people whom "
                    "the category does not admit, or older than the person's last; nothing was imported"
                )
        print("votes: " + (", ".join(f"{count} {what}" for what, count in found.items()) or "nothing to import"))
    elif arguments.config:
        print(label_studio.LABEL_CONFIG, end="")
    else:
        if not arguments.category or not arguments.media:
            raise WrongArguments("votes tasks: want --category and --media, or --config")
        clips = open_ledger().rows("clips_to_ask", category=arguments.category)
        json.dump(label_studio.tasks(clips, arguments.media), sys.stdout, indent=1)
        print()


def export(datasets: Datasets, path: Path) -> int:
    """Write every vote of every batch, batch by batch; return how many."""
    writer: Any = None
    count = 0
    # Renamed when whole: nothing half-written looks like an export.
    part = path.with_name(f".{path.name}.part")
    try:
        batches = (datasets.read(VOTES, **keys) for keys in datasets.partitions(VOTES))
        # The first table is an empty one, so that there are columns where there are no votes.
        for table in map(_columns, chain([VOTES.schema.empty_table()], batches)):
            if writer is None:
                writer = _writer(path, part, table.schema)
            writer.write_table(table)
            count += table.num_rows
        writer.close()
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return count


def _columns(votes: pa.Table) -> pa.Table:
    tasks = [f"{row['category']}/{row['clip_id']}" for row in votes.select(["category", "clip_id"]).to_pylist()]
    times = [moment.isoformat() for moment in votes["cast_at"].to_pylist()]
    kept = ["seconds", "vote_id", "guideline_version", "round", "supersedes"]
    return pa.table(
        {"task": pa.array(tasks, pa.string()), "worker": votes["annotator"], "label": votes["answer"],
         "time": pa.array(times, pa.string())} | {name: votes[name] for name in kept}
    )  # fmt: skip


def _writer(path: Path, part: Path, schema: pa.Schema) -> Any:
    if path.suffix == ".parquet":
        return pq.ParquetWriter(part, schema)
    if path.suffix == ".csv":
        return pa_csv.CSVWriter(part, schema)
    raise WrongArguments(f"{path}: ends in {path.suffix or 'nothing'}, want .csv or .parquet")


def checked(path: Path) -> list[GivenAnswer]:
    """Return the answers of a file.

    Raises:
        WrongArguments: there is no such file, or it has another ending.
        BrokenContract: it has other columns, or lines that make no sense; the first ones are named.

    """
    answers, bad = [], []
    for line, row in _lines(path):
        try:
            answers.append(_answer(path, row))
        except BrokenContract as error:
            bad.append(f"line {line}: {error}")
    if bad:
        more = f"; and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
        raise BrokenContract(f"{path}: nothing was imported: {'; '.join(bad[:SHOWN])}{more}")
    return answers


def _lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    if path.suffix not in (".csv", ".parquet"):
        raise WrongArguments(f"{path}: ends in {path.suffix or 'nothing'}, want .csv or .parquet")
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise WrongArguments(f"{path}: cannot be read: {error.strerror}") from error
    try:
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            _need(path, table.column_names)
            yield from enumerate(table.to_pylist(), start=1)
            return
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file, strict=True)
            _need(path, reader.fieldnames or [])
            for row in reader:
                yield reader.line_num, row
    except (pa.ArrowInvalid, csv.Error, UnicodeDecodeError) as error:
        raise BrokenContract(f"{path}: is no {path.suffix[1:]} file: {error}") from error


def _need(path: Path, names: list[str] | Any) -> None:
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise BrokenContract(f"{path}: has no column {', '.join(missing)}; want {', '.join(NEEDED)}")


def _answer(path: Path, row: Mapping[str, Any]) -> GivenAnswer:
    category, _, clip_id = str(row["task"] or "").partition("/")
    try:
        time = datetime.fromisoformat(str(row["time"]))
    except ValueError as error:
        raise BrokenContract(f"time {row['time']!r}: want ISO 8601, as 2026-01-05T12:30:00+00:00") from error
    if time.tzinfo is None:
        raise BrokenContract(f"time {row['time']!r}: has no time zone, want one")
    own = vote_id("file", f"{row['task']}\n{row['worker']}", time)
    return parse(
        vote_id=row.get("vote_id") or own, clip_id=clip_id, category=category, annotator=row["worker"],
        answer=row["label"], seconds=row["seconds"], cast_at=time,
    )  # fmt: skip
