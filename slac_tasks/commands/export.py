"""Write a release that exists in one more format.

slac export --release r0001 --as hacs --to clips.csv      into a file
slac export --release r0001 --as activitynet              into the store, beside the release

Reads the release and the ledger's display names of categories. Safe to run again.
"""

import argparse
from pathlib import Path

from slac_tasks import config
from slac_tasks.progress import print_line
from slac_tasks.release.exporting import contents, export_name, write_exports
from slac_tasks.release.exports import EXPORTS
from slac_tasks.storage.datasets import RELEASES
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    formats = "; ".join(f"{export.name}: {export.help}" for export in EXPORTS.values())
    parser.add_argument("--release", required=True, help="version of the release, e.g. r0001")
    parser.add_argument("--as", dest="format", required=True, choices=sorted(EXPORTS), help=formats)
    parser.add_argument("--to", type=Path, help="path of the file; without it the export goes beside the release")


def main(arguments: argparse.Namespace) -> None:
    """Write the export and print where it is."""
    datasets = Datasets(open_store(config.load().store_url))
    manifest = datasets.need(RELEASES, release=arguments.release)
    ledger = open_ledger()
    names = {row["category"]: row["name"] for row in ledger.rows("categories")}
    ledger.close()
    export = EXPORTS[arguments.format]
    if arguments.to is None:
        write_exports(datasets, manifest, names, [export])
        print_line(f"export: {export_name(manifest, export)} in {datasets.store.url}")
        return
    part = arguments.to.with_name(f".{arguments.to.name}.part")
    try:
        export.write(contents(datasets, manifest, names), part)
        part.replace(arguments.to)
    finally:
        part.unlink(missing_ok=True)
    print_line(f"export: wrote {arguments.to}")
