"""Finished releases in the ledger, which plans and pages ask."""

from slac_tasks.release.preview import PREVIEW
from slac_tasks.storage.datasets.releasing import ReleaseVersionRow
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.store import Store
from slac_tasks.verification.versions import labels_of

RELEASING = "releases"
"""Who makes a release has this alone (`Ledger.alone`): two at once would both follow the same one. So has a repair:
it would record an older one over what was made meanwhile."""


def record_release(store: Store, ledger: Ledger, row: ReleaseVersionRow, rows: Manifest) -> None:
    """Record what a finished release is; one that was made again is recorded anew.

    Args:
        store: has the clips that its page plays.
        ledger: where it is recorded.
        row: what it is.
        rows: manifest of its rows, which names the version of the labels.

    """
    ledger.run(
        "add_release",
        release=rows.keys["release"],
        labels=labels_of(rows),
        label_count=row.labels,
        categories=list(row.categories),
        version=row.version,
        content=row.content,
        previous=row.previous,
        added=row.added,
        changed=row.changed,
        withdrawn=row.withdrawn,
        corrected=row.corrected,
        folder=rows.folder,
        preview=store.get(f"{rows.folder}/{PREVIEW}").decode() if PREVIEW in row.files else "[]",
    )
