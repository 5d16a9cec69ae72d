"""Votes as files: export all of them, import those that were cast elsewhere, or hand out tasks for Label Studio.

  slac votes export votes.parquet                       (or .csv) every vote that sync has collected
  slac votes import votes.csv                           each once; what is known already stays as it is
  slac votes rejected                                   answers of files and of Label Studio that are no votes, and why
  slac votes tasks --category judo --media https://media.example/slac > tasks.json
  slac votes tasks --config > config.xml

Columns: task (category/clip_id), worker, label (yes, no, unsure, broken), time (ISO 8601 with a zone), seconds; an
export also has vote_id, guideline_version, round and supersedes. An import reads csv (with commas, semicolons or
tabs), JSON lines or parquet. A line that makes no sense is set aside by its number and holds up no other; the import
then ends with 65. Names of people are read without the spaces around them. A new name that differs from a known one
in case alone is set aside. A second answer by one person to one clip supersedes the first.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from slac_tasks import config
from slac_tasks.errors import BrokenContract, WrongArguments
from slac_tasks.given import cells, tables
from slac_tasks.given.words import printable
from slac_tasks.outputs import whole
from slac_tasks.progress import counted, print_json, track
from slac_tasks.storage.datasets import VOTES
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.registered import check_registered
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification import label_studio_tasks
from slac_tasks.verification.answers import GivenAnswer, RawAnswer, Rejection, parse
from slac_tasks.verification.imports import import_answers
from slac_tasks.verification.people import name_of

NEEDED = ("task", "worker", "label", "time", "seconds")
SHOWN = 10
"""Lines that are set aside and named."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(dest="what", required=True)
    export = verbs.add_parser("export", help="write every collected vote")
    export.add_argument("file", type=Path, help="path that ends in .csv or .parquet")
    given = verbs.add_parser("import", help="read votes that were cast elsewhere")
    given.add_argument("file", type=Path, help="csv, JSON lines or parquet")
    rejected = verbs.add_parser("rejected", help="list answers from elsewhere that are no votes, each with the reason")
    rejected.add_argument("--json", action="store_true", help="print one JSON object a line")
    tasks = verbs.add_parser("tasks", help="print open clips as Label Studio tasks")
    tasks.add_argument("--category", help="category key")
    tasks.add_argument("--media", help="address below which a web server shows the store's objects")
    tasks.add_argument("--config", action="store_true", help="print the labelling config instead")


def main(arguments: argparse.Namespace) -> None:
    """Do what the verb says."""
    if arguments.what == "export":
        datasets = Datasets(open_store(config.load().store_url))
        print(f"votes: {counted(export(datasets, arguments.file), 'vote')} in {arguments.file}")
    elif arguments.what == "import":
        _import(arguments.file)
    elif arguments.what == "rejected":
        _print_rejected(as_json=arguments.json)
    elif arguments.config:
        print(label_studio_tasks.LABEL_CONFIG, end="")
    else:
        if not arguments.category or not arguments.media:
            raise WrongArguments("votes tasks: want --category and --media, or --config")
        ledger = open_ledger()
        check_registered(ledger, [arguments.category])
        clips = ledger.rows("clips_to_ask", category=arguments.category)
        json.dump(label_studio_tasks.tasks(clips, arguments.media), sys.stdout, indent=1)
        print()


def export(datasets: Datasets, path: Path) -> int:
    """Write every vote of every batch, batch by batch; return how many."""
    partitions = list(datasets.partitions(VOTES))
    batches = (datasets.read(VOTES, **keys) for keys in track(partitions, len(partitions), "votes: batches"))
    # An empty table has the columns too, where there are no votes.
    schema = _columns(VOTES.schema.empty_table()).schema
    count = 0
    # Opened here, since the library opens no name that is not UTF-8.
    with whole(path) as part, part.open("wb") as file, _writer(path, file, schema) as writer:
        for table in map(_columns, batches):
            writer.write_table(table)
            count += table.num_rows
    return count


def _columns(votes: pa.Table) -> pa.Table:
    tasks = [f"{row['category']}/{row['clip_id']}" for row in votes.select(["category", "clip_id"]).to_pylist()]
    times = [moment.isoformat() for moment in votes["cast_at"].to_pylist()]
    kept = ["seconds", "vote_id", "guideline_version", "round", "supersedes"]
    return pa.table(
        {"task": pa.array(tasks, pa.string()), "worker": votes["annotator"], "label": votes["answer"],
         "time": pa.array(times, pa.string())} | {name: votes[name] for name in kept}
    )  # fmt: skip


def _writer(path: Path, file: IO[bytes], schema: pa.Schema) -> Any:
    if path.suffix == ".parquet":
        return pq.ParquetWriter(file, schema)
    if path.suffix == ".csv":
        return pa_csv.CSVWriter(file, schema)
    raise WrongArguments(f"{path}: ends in {path.suffix or 'nothing'}, want .csv or .parquet")


def read(path: Path) -> list[GivenAnswer | Rejection]:
    """Return the answers of a file; of a line that is none, why.

    Raises:
        WrongArguments: it cannot be read.
        BrokenContract: it is no table, or lacks a column.

    """
    try:
        return [_answer(line) for line in tables.lines(path, "votes", needed=NEEDED, known=(*NEEDED, "vote_id"))]
    except OSError as error:
        raise WrongArguments(f"votes {path}: cannot be read: {error.strerror}") from error


def _answer(line: tables.Line) -> GivenAnswer | Rejection:
    item = f"line {line.number}"
    if line.fault:
        return Rejection(item=item, reason="no line", detail=line.fault)
    try:
        task = (cells.text(line.cells.get("task")) or "").strip()
    except cells.Unclear as error:
        return Rejection(item=item, reason="task", detail=printable(f"task {error}"))
    category, slash, clip_id = task.partition("/")
    if not slash:
        found = f"is '{printable(task[:60])}'" if task else "is missing or blank"
        return Rejection(item=item, reason="task", detail=f"task {found}, want category/clip_id")
    worker = _worker(line.cells.get("worker"))
    return parse(
        "file",
        RawAnswer(
            item=item,
            name=f"{task}\n{worker}",
            clip_id=clip_id,
            category=category,
            annotator=line.cells.get("worker"),
            answer=line.cells.get("label"),
            seconds=line.cells.get("seconds"),
            cast_at=line.cells.get("time"),
            vote_id=line.cells.get("vote_id"),
        ),
    )


def _worker(cell: Any) -> str:
    """Return a person as an answer's identity names them, in one spelling; what names none is refused by `parse`."""
    try:
        return name_of(cells.text(cell) or "")
    except ValueError:
        return ""


def _import(path: Path) -> None:
    """Store the answers of a file.

    Raises:
        BrokenContract: lines of it are set aside; the others are stored.

    """
    given = read(path)
    ledger = open_ledger()
    # With its folder, since others name their files alike. What is no UTF-8 is escaped: the ledger cannot hold it.
    source = printable(str(path.resolve()))
    found = import_answers(ledger, source, track(given, len(given), f"votes: lines of {printable(path.name)}"))
    ledger.close()
    print(f"votes: {found}")
    if found.rejected:
        first = "; ".join(map(str, found.rejected[:SHOWN]))
        more = f"; and {len(found.rejected) - SHOWN} more" if len(found.rejected) > SHOWN else ""
        raise BrokenContract(
            f"{path}: {len(found.rejected)} of {counted(len(given), 'line')} set aside "
            f"(`slac votes rejected`): {first}{more}"
        )


def _print_rejected(*, as_json: bool) -> None:
    ledger = open_ledger()
    rows = ledger.rows("rejected_votes")
    ledger.close()
    if as_json:
        print_json(rows)
        return
    for row in rows:
        line = f"{row['source']}  {row['item']}  since {row['since']:%Y-%m-%d %H:%M}  {row['reason']}: {row['detail']}"
        print(printable(line))
    reasons = Counter(row["reason"] for row in rows)
    counts = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
    print(f"votes: {counted(len(rows), 'answer is', 'answers are')} set aside" + (f": {counts}" if counts else ""))
