"""What plans and stages say of datasets after garbage was collected: what they said before."""

from typing import Any

import pytest
from collected_garbage import collect
from platform_records import KEYS, Platform, write

from slac_tasks.storage.datasets import CLIPS, LABELS, MODELS, RELEASES, SCORES, VIDEOS
from slac_tasks.storage.datasets.collecting import ClipRow
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.objects import put_by_content
from slac_tasks.storage.records import Record, record
from slac_tasks.storage.tables import Datasets

PARTITION = {name: KEYS[name] for name in ("category", "window")}


@pytest.mark.parametrize("is_same", [True, False])
def test_what_was_made_from_an_input_that_was_made_again_with_the_same_rows_stays_up_to_date(
    make_job: Any, store: FolderStore, ledger: Ledger, is_same: bool
) -> None:
    """A week after a retry that had brought nothing, every window had been scored again."""

    def clips(*starts: int) -> Manifest:
        rows = [
            ClipRow(clip_id=f"v:{start}", video_id="v", start_sec=start / 1000, end_sec=start / 1000 + 2,
                    split="training", proxy_128="p", proxy_256="p", shot=0)
            for start in starts
        ]  # fmt: skip
        return write(store, dataset=CLIPS, keys=PARTITION, rows=rows)

    first = clips(0)
    scores = write(store, made_from={first.address: first.mark})
    made = [first, scores, clips(0, 500), newest := clips(0) if is_same else clips(500)]
    record(ledger, map(Record.of, made))

    def is_current() -> set[bool]:
        planner = Platform(store=store, ledger=ledger).planner()
        job = make_job("score", follow=True)
        return {not planner.outdated(SCORES), job.is_finished(SCORES, KEYS, [newest])}

    assert is_current() == {is_same}
    gone = (2,) if is_same else (1, 2)
    assert collect(Datasets(store), ledger) == [
        f"superseded generation: {first.address} g{generation:04d}" for generation in gone
    ]
    assert is_current() == {is_same}
    # Once nothing current names it, it goes.
    record(ledger, [Record.of(write(store, made_from={newest.address: newest.mark}))])
    collect(Datasets(store), ledger)
    collect(Datasets(store), ledger)
    assert list(store.names(f"{first.address}/g0001")) == []


def test_what_releases_and_models_of_the_version_before_name_stays(store: FolderStore, ledger: Ledger) -> None:
    """A week after an upgrade `slac gc` had deleted the networks of all earlier releases, and their labels."""
    assert RELEASES.upgrade
    assert MODELS.upgrade
    older_release, older_model = RELEASES.upgrade.previous, MODELS.upgrade.previous
    backbone, head = (put_by_content(store, "weights", ".pt", name) for name in (b"backbone", b"head"))
    model = older_model.row(
        architecture="x", backbone=backbone, head=head, categories=("judo",), steps=1, clips=1, loss=0.0
    )
    write(store, dataset=older_model, keys={"release": "r0001"}, rows=[model])
    labels = [write(store, dataset=LABELS, keys={"labels": f"{number:06d}"}) for number in (1, 2)]
    videos = [write(store, dataset=VIDEOS, keys=PARTITION) for _ in range(2)]
    made_from = {one.address: one.mark for one in (labels[0], videos[0])}
    for _ in range(2):
        write(store, dataset=older_release, keys={"release": "r0001"}, made_from=made_from)
    assert collect(Datasets(store), ledger) == []
