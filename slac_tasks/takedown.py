"""Take videos down, now and for good.

slac takedown --named a2X2hz1G6i8 --reason "uploader asked"     a video_id, SHA-256, the source's id, or an address
slac takedown --list names.csv --reason "court order"           the first column of a csv, or a text with one per line

Their bytes are deleted at once; every later dataset and the queue leave them out, whoever finds them again; releases
that held them list them as withdrawn. Safe to run again: run it again after a `fetch` that was under way.
"""

import argparse
import csv
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from slac_tasks import config, database
from slac_tasks.database import Ledger
from slac_tasks.datasets import CANDIDATES, FETCHED, RELEASES, VIDEOS
from slac_tasks.errors import WrongArguments
from slac_tasks.job import say
from slac_tasks.shelf import Datasets
from slac_tasks.store import connect
from slac_tasks.takedowns import Takedowns, delete_media, take_down


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--named", action="append", help="one video; may be repeated")
    which.add_argument("--list", type=Path, help="file with one video per line")
    parser.add_argument("--reason", required=True, help="why; kept with the takedown")


def main(arguments: argparse.Namespace) -> None:
    """Take down what is named and say what was found of it."""
    names = arguments.named or _listed(arguments.list)
    store = connect(config.load().store_url)
    ledger = database.connect()
    for named in names:
        take_down(store, named, arguments.reason)
    datasets = Datasets(store)
    found = known(datasets, ledger, names)
    # The ledger first: the queue hands out nothing whose bytes are gone.
    ledger.run_many("add_tombstone", [{"video_id": video_id, "reason": arguments.reason} for video_id in sorted(found)])
    objects = sum(delete_media(store, video_id) for video_id in sorted(found))
    releases = withdraw(datasets, found, arguments.reason)
    ledger.close()
    say(f"takedown: {len(names)} named, {len(found)} videos known, {objects} objects deleted, "
        f"withdrawn from {', '.join(releases) or 'no release'}")  # fmt: skip


def _listed(path: Path) -> list[str]:
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise WrongArguments(f"--list {path}: cannot be read: {error}") from error
    names = [row[0].strip() for row in rows if row and row[0].strip()]
    if not names:
        raise WrongArguments(f"--list {path}: is empty, want one video per line")
    return list(dict.fromkeys(names))


def known(datasets: Datasets, ledger: Ledger, names: Iterable[str]) -> set[str]:
    """Return the video_ids that go by these names: of admitted videos, and of those that wait for admission."""
    found = {str(row["video_id"]) for named in names for row in ledger.rows("videos_named", named=named)}
    takedowns = Takedowns.read(datasets.store)
    # Addresses are known to candidates alone.
    for keys in datasets.partitions(FETCHED):
        manifest = datasets.need(FETCHED, **keys)
        addressed = {
            row["candidate_id"]
            for row in datasets.read(CANDIDATES, ["candidate_id", "location"], **keys).to_pylist()
            if takedowns.cover(row)
        }
        if not addressed and datasets.manifest(VIDEOS, **keys) is not None:
            continue
        for table in datasets.tables(manifest, ["candidate_id", "video_id", "media_sha256", "source_id"]):
            found |= {
                row["video_id"] for row in table.to_pylist() if row["candidate_id"] in addressed or takedowns.cover(row)
            }
    return found


def leave_out(datasets: Datasets, ledger: Ledger, videos: set[str], reason: str) -> list[str]:
    """Leave admitted videos out of every read from now on, bytes kept; return the releases that held them.

    The caller opens the transaction. The store is told first: what the ledger loses when it fails is done again.
    """
    for video_id in sorted(videos):
        take_down(datasets.store, video_id, reason)
    releases = withdraw(datasets, videos, reason)
    ledger.run_many("add_tombstone", [{"video_id": video_id, "reason": reason} for video_id in sorted(videos)])
    return releases


def withdraw(datasets: Datasets, videos: set[str], reason: str) -> list[str]:
    """List the videos as withdrawn beside every release that holds them; return these releases."""
    touched = []
    for keys in datasets.partitions(RELEASES):
        manifest = datasets.need(RELEASES, **keys)
        held = {
            str(video) for table in datasets.tables(manifest, ["video_id"]) for video in table["video_id"].to_pylist()
        }
        for video_id in sorted(held & videos):
            note = {"video_id": video_id, "reason": reason, "since": datetime.now(UTC).isoformat(timespec="seconds")}
            datasets.store.create(f"{manifest.address}/withdrawn/{video_id}.json", json.dumps(note).encode())
        touched += [keys["release"]] if held & videos else []
    return touched
