"""Take videos down, now and for good.

slac takedown --named a2X2hz1G6i8 --reason "uploader asked"     a video_id, SHA-256, the source's id, or an address
slac takedown --list names.csv --reason "court order"           a list of such names

A list is a text with a name in each line, a table with a column such as `video_id`, `sha256`, `source_id` or `url` (csv
with commas, semicolons or tabs, JSON lines, parquet), or a JSON list. One that cannot be read whole takes nothing down.

Their bytes are deleted at once; every later dataset and the queue leave them out, whoever finds them again; releases
that held them list them as withdrawn. One that is being fetched is withdrawn by `deduplicate`. Safe to run again.
"""

import argparse
import re
from pathlib import Path

from slac_tasks import config
from slac_tasks.admission.withdrawals import delete_media, list_beside_releases, videos_named, write_withdrawal
from slac_tasks.errors import WrongArguments
from slac_tasks.given import names
from slac_tasks.progress import counted, print_line
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
    named = [_spelled(name) for name in arguments.named or _listed(arguments.list)]
    store = open_store(config.load().store_url)
    ledger = open_ledger()
    for name in named:
        write_withdrawal(store, name, arguments.reason, deletes=True)
    datasets = Datasets(store)
    found = videos_named(datasets, ledger, named)
    # By the video's own id too: a copy at another address has it, and most datasets know a video by nothing else.
    for video_id in sorted(found):
        write_withdrawal(store, video_id, arguments.reason, deletes=True)
    # The ledger first: the queue hands out nothing whose bytes are gone.
    ledger.run_many("add_tombstone", [{"video_id": video_id, "reason": arguments.reason} for video_id in sorted(found)])
    objects = sum(delete_media(store, video_id) for video_id in sorted(found))
    releases = list_beside_releases(datasets, found, arguments.reason)
    ledger.close()
    print_line(f"takedown: {len(named)} named, {counted(len(found), 'video')} known, "
    f"{counted(objects, 'object')} deleted, "
        f"withdrawn from {', '.join(releases) or 'no release'}")  # fmt: skip


def _listed(path: Path) -> list[str]:
    try:
        return names.read(path, "--list")
    except OSError as error:
        raise WrongArguments(f"--list {path}: cannot be read: {error.strerror}") from error


def _spelled(name: str) -> str:
    """Return a name as the platform spells it: a SHA-256 in small letters.

    Raises:
        WrongArguments: it is blank.

    """
    found = name.strip()
    if not found:
        raise WrongArguments(f"--named {name!r}: is blank, want the name of a video")
    return found.lower() if re.fullmatch(r"[0-9a-fA-F]{64}", found) else found
