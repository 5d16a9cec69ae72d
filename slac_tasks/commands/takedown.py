"""Take videos down, now and for good.

slac takedown --named a2X2hz1G6i8 --reason "uploader asked"     a video_id, SHA-256, the source's id, or an address
slac takedown --list names.csv --reason "court order"           the first column of a csv, or a text with one per line

Their bytes are deleted at once; every later dataset and the queue leave them out, whoever finds them again; releases
that held them list them as withdrawn. Safe to run again: run it again after a `fetch` that was under way.
"""

import argparse
import csv
import io
from pathlib import Path

from slac_tasks import config
from slac_tasks.admission.withdrawals import delete_media, list_beside_releases, videos_named, write_withdrawal
from slac_tasks.errors import WrongArguments
from slac_tasks.given import texts
from slac_tasks.progress import print_line
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--named", action="append", help="one video; may be repeated")
    which.add_argument("--list", type=Path, help="file with one video per line")
    parser.add_argument("--reason", required=True, help="why; stored with the withdrawal")


def main(arguments: argparse.Namespace) -> None:
    """Take down what is named and print what was found of it."""
    names = arguments.named or _listed(arguments.list)
    store = open_store(config.load().store_url)
    ledger = open_ledger()
    for named in names:
        write_withdrawal(store, named, arguments.reason, deletes=True)
    datasets = Datasets(store)
    found = videos_named(datasets, ledger, names)
    # The ledger first: the queue hands out nothing whose bytes are gone.
    ledger.run_many("add_tombstone", [{"video_id": video_id, "reason": arguments.reason} for video_id in sorted(found)])
    objects = sum(delete_media(store, video_id) for video_id in sorted(found))
    releases = list_beside_releases(datasets, found, arguments.reason)
    ledger.close()
    print_line(f"takedown: {len(names)} named, {len(found)} videos known, {objects} objects deleted, "
        f"withdrawn from {', '.join(releases) or 'no release'}")  # fmt: skip


def _listed(path: Path) -> list[str]:
    try:
        # A line ends in \n, \r or both alone: U+2028 is part of a name.
        rows = list(csv.reader(io.StringIO(texts.read(path), newline="")))
    except (OSError, texts.NotText, csv.Error) as error:
        raise WrongArguments(f"--list {path}: cannot be read: {error}") from error
    names = [row[0].strip() for row in rows if row and row[0].strip()]
    if not names:
        raise WrongArguments(f"--list {path}: is empty, want one video per line")
    return list(dict.fromkeys(names))
