"""Write a release that exists in one more format.

slac export --release r0001 --as hacs --to clips.csv        into a file
slac export --release r0001 --as activitynet                into the store, beside the release
slac export --release r0001 --as fiftyone --to fo --media /data/slac
slac export --release r0001 --as webdataset --to shards --licence "CC BY 4.0"

Reads the release, the ledger's display names of categories and, for webdataset, the renditions. Safe to run again: a
file is replaced, and a folder that exists is refused. A webdataset that was cut off goes on after its last whole shard.
Of two that write one format into the store at once the second ends with 75.
"""

import argparse
import os
from pathlib import Path

from slac_tasks import config
from slac_tasks.admission.withdrawals import Withdrawals
from slac_tasks.errors import WrongArguments
from slac_tasks.outputs import over_runs, whole
from slac_tasks.progress import print_line
from slac_tasks.release.exporting import contents, export_name, mark_of, write_exports
from slac_tasks.release.exports import EXPORTS
from slac_tasks.release.finished import need_release
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    formats = "; ".join(f"{export.name}: {export.help}" for export in EXPORTS.values())
    parser.add_argument("--release", required=True, help="version of the release, e.g. r0001")
    parser.add_argument("--as", dest="format", required=True, choices=sorted(EXPORTS), help=formats)
    parser.add_argument("--to", type=Path, help="path of the file; without it the export goes beside the release")
    parser.add_argument("--media", default="", help="where the store's objects are found; default: the store itself")
    parser.add_argument(
        "--licence", action="append", default=[], help="licence under which media may be handed on; may be repeated"
    )


def main(arguments: argparse.Namespace) -> None:
    """Write the export and print where it is."""
    if arguments.to is None and (arguments.media or arguments.licence):
        raise WrongArguments("--media and --licence: want --to as well, since what lies beside a release is made once")
    datasets = Datasets(open_store(config.load().store_url))
    found, manifest = need_release(datasets, arguments.release)
    ledger = open_ledger()
    names = {row["category"]: row["name"] for row in ledger.rows("categories")}
    export = EXPORTS[arguments.format]
    release = contents(
        datasets, manifest, found.version, names, media=arguments.media, licences=arguments.licence,
        withdrawn=lambda: Withdrawals.read(datasets.store).covers,
    )  # fmt: skip
    if arguments.to is None:
        name = export_name(manifest, export)
        # Of two at once the files of a folder would be of both, and the list of one.
        with ledger.alone(name):
            write_exports(datasets, manifest, release, [export])
        ledger.close()
        print_line(f"export: {name} in {datasets.store.url}")
        return
    ledger.close()
    if export.folder and os.path.exists(arguments.to):
        raise WrongArguments(f"--to {arguments.to}: exists, want the name of a new folder")
    to = over_runs(arguments.to, mark_of(manifest, release)) if export.goes_on else whole(arguments.to)
    with to as part:
        export.write(release, part)
    print_line(f"export: wrote {arguments.to}")
