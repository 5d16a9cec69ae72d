"""Labels that grow batch by batch, on a real ledger: what people say, withdraw and are flagged for."""

from dataclasses import dataclass, field
from typing import Any

from review_work import ROUND, TWICE, cast, prepare

from slac_tasks.model import parse_clip_id
from slac_tasks.stages import publish
from slac_tasks.storage import records
from slac_tasks.storage.datasets import AGREEMENT, LABELS, PEOPLE
from slac_tasks.storage.datasets.labelling import PersonRow
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.records import Record
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.versions import newest_labels, read_labels

CLIPS, PEOPLE_NAMES = 6, ("ann", "bob", "cid", "dora")
CATEGORIES = ("high_jump", "judo")


def begin(make_job: Any, ledger: Ledger, **knobs: Any) -> list[str]:
    """Queue the same clips for two categories."""
    for category in CATEGORIES:
        job = make_job("publish", settings={"review": TWICE} | knobs, categories=(category,), round=ROUND)
        vars(job)["ledger"] = ledger  # one connection, however many examples there are
        found = prepare(ledger, job.datasets, category=category, clips=CLIPS)
        publish.run(job)
    for person in PEOPLE_NAMES:
        ledger.run("ensure_annotator", annotator=person)
    return found


def run(make_job: Any, ledger: Ledger, *stages: Any, remake: bool = False, **knobs: Any) -> None:
    for stage in stages:
        job = make_job(stage.__name__.rpartition(".")[2], settings=knobs, remake=remake)
        vars(job)["ledger"] = ledger
        stage.run(job)


def rows(datasets: Datasets, version: str | None = None) -> list[dict[str, Any]]:
    version = version or newest_labels(datasets)
    assert version is not None
    table = read_labels(datasets, version)
    assert table.schema.names == LABELS.schema.names
    return table.sort_by([("category", "ascending"), ("clip_id", "ascending")]).to_pylist()


def queue(ledger: Ledger) -> list[tuple[Any, ...]]:
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT clip_id, category, votes_wanted, state FROM queue ORDER BY 1, 2")
        return list(cursor.fetchall())


def empty(ledger: Ledger) -> None:
    with ledger._connection.cursor() as cursor:
        cursor.execute("TRUNCATE queue, votes, outbox, batches, batch_votes, tombstones, datasets, leases CASCADE")


def withdraw(ledger: Ledger, clip: str) -> None:
    ledger.run_many("add_tombstone", [{"video_id": parse_clip_id(clip)[0], "reason": "leak"}])


def withdrawn_videos(ledger: Ledger) -> set[str]:
    return {row["video_id"] for row in ledger.rows("tombstones")}


def flag(ledger: Ledger, datasets: Datasets, people: set[int]) -> None:
    """Write `people` for the newest labels: these click at random."""
    version = newest_labels(datasets)
    assert version is not None
    bounds = {f"{name}{end}": 0.5 for name in ("sensitivity", "specificity") for end in ("", "_low", "_high")}
    found = [
        PersonRow(
            annotator=name, category=None, answers=20, gold=0, gold_right=0, seconds=1.0, drift=None, set_gold=0,
            set_missed=0, set_miss_low=None, set_miss_high=None,
            flags=("random",) if index in people else (), **bounds,
        )
        for index, name in enumerate(PEOPLE_NAMES)
    ]  # fmt: skip
    made: dict[str, Any] = {"stage": "test", "settings": {}, "made_from": {}}
    for dataset, rows in ((PEOPLE, found), (AGREEMENT, [])):
        manifest = datasets.write(dataset, [dataset.table(rows)], keys={"labels": version}, **made)
        records.record(ledger, [Record.of(manifest)])


@dataclass(kw_only=True)
class Voting:
    """What people have said, so that they can say something else."""

    ledger: Ledger
    clips: list[str]
    last: dict[tuple[int, int, int], str] = field(default_factory=dict)

    def vote(self, person: int, clip: int, category: int, answer: str) -> None:
        """Answer, or correct the answer that was given before."""
        key = (person, clip, category)
        stored = cast(
            self.ledger, PEOPLE_NAMES[person], self.clips[clip], answer, CATEGORIES[category],
            supersedes=self.last.get(key),
        )  # fmt: skip
        if stored:
            self.last[key] = stored
