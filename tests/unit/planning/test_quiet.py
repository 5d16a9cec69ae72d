"""What a release waits for under `release.wait_for_queue`, and what it does not wait for."""

from collections.abc import Callable

import pytest
from platform_records import NOW, WEEKS, Platform, add_release

from slac_tasks.model import round_key
from slac_tasks.planning import plans
from slac_tasks.planning.items import Item
from slac_tasks.planning.notes import notes
from slac_tasks.planning.plans import aggregate, pretrain, sync_verifications
from slac_tasks.release.settings import Release
from slac_tasks.storage.datasets import CLIPS, HARD_CLIPS, LABELS, QUALITY, SCORES, SEGMENT_LABELS, VIDEOS
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.verification.label_studio import PROJECT

WAITS = "clips wait to be mined, answered or judged"


@pytest.fixture
def platform(store: FolderStore, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """One window of judo that is collected, scored, mined, answered, labelled and judged."""
    monkeypatch.setattr(plans, "unreleased_labels", lambda *given: 0)
    found = Platform(store=store, ledger=ledger, fields={"release": Release(wait_for_queue=True)})
    found.register("judo", "polo")
    found.seat({"judo": ["w1"]})
    key = round_key(WEEKS[0], found.panel("judo"))
    for dataset in (VIDEOS, CLIPS):
        found.record(dataset, category="judo", window=WEEKS[0])
    found.record(SCORES, category="judo", window=WEEKS[0], weights="w1")
    found.record(HARD_CLIPS, category="judo", round=key)
    found.queue("judo", key, state="finished")
    for version in ("000001", "000002"):
        found.record(LABELS, labels=version)
        found.record(QUALITY, labels=version)
    return found


def why(platform: Platform, **fields: object) -> str:
    """Return why no release is made."""
    assert pretrain(platform.planner(**fields)) == []
    (line,) = notes(platform.planner(), "pretrain")
    return line.removeprefix(f"{NOW.date()}: wait: ")


def write(platform: Platform, statement: str) -> None:
    with platform.ledger._connection.cursor() as cursor:
        cursor.execute(statement)


def scored(platform: Platform) -> None:
    """A round that could be mined."""
    for dataset in (VIDEOS, CLIPS):
        platform.record(dataset, category="judo", window=WEEKS[1])
    platform.record(SCORES, category="judo", window=WEEKS[1], weights="w1")


def voted(platform: Platform) -> None:
    """A vote that no batch holds."""
    vote = "00000000-0000-0000-0000-000000000001"
    platform.ledger.run("ensure_annotator", annotator="ann")
    platform.ledger.run(
        "cast_vote", clip_id=f"{round_key(WEEKS[0], platform.panel('judo'))}:1", category="judo", annotator="ann",
        answer="yes", vote_id=vote, seconds=1.0, guideline_version=1, supersedes=None, set_id=None,
    )  # fmt: skip
    assert sync_verifications(platform.planner()) == [Item(votes=1)]


def taken(platform: Platform) -> None:
    """A batch of votes that has not become labels."""
    write(platform, "INSERT INTO batches (batch, vote_count) VALUES (2, 9), (3, 1)")
    for plan in (aggregate, sync_verifications):
        assert plan(platform.planner()) == [Item(labels="000003")]


def taken_of_segments(platform: Platform) -> None:
    """The same of votes about segments."""
    write(platform, "INSERT INTO batches (batch, vote_count) VALUES (2, 9)")
    write(platform, "INSERT INTO segment_batches (batch, vote_count) VALUES (1, 9), (2, 1)")
    platform.record(SEGMENT_LABELS, batch="000001")
    for plan in (aggregate, sync_verifications):
        assert plan(platform.planner()) == [Item(segments="000002")]


WAITED_FOR: dict[str, Callable[[Platform], object]] = {
    "videos that nobody has scored": lambda platform: platform.record(VIDEOS, category="judo", window=WEEKS[1]),
    "a scored round that nobody has mined": scored,
    "a clip that nobody has answered": lambda platform: platform.queue("judo", f"{WEEKS[1]}.p1"),
    "a vote that no batch holds": voted,
    "a batch that has not become labels": taken,
    "a batch about segments that has not become labels": taken_of_segments,
    "labels that nobody has judged": lambda platform: platform.record(LABELS, labels="000003"),
}
NOT_WAITED_FOR: dict[str, Callable[[Platform], object]] = {
    "nothing is left": lambda platform: None,
    "no member scores the category": lambda platform: platform.record(VIDEOS, category="polo", window=WEEKS[1]),
    "no video came": lambda platform: platform.record(VIDEOS, rows=0, category="judo", window=WEEKS[1]),
    "batches became labels": lambda platform: write(
        platform, "INSERT INTO batches (batch, vote_count) VALUES (1, 1), (2, 1)"
    ),
    "a clip is asked again whose label stands": lambda platform: (
        platform.queue("judo", f"{WEEKS[1]}.p1"), write(platform, "UPDATE queue SET again = true WHERE state = 'open'")
    ),
    "a retired category": lambda platform: (
        platform.record(VIDEOS, category="judo", window=WEEKS[1]),
        platform.ledger.run("retire_category", category="judo", person="ada", reason="done"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WAITED_FOR)
def test_a_release_waits_for(platform: Platform, what: str) -> None:
    WAITED_FOR[what](platform)
    assert why(platform) == WAITS
    assert why(platform, at_once=True).startswith("0 new labels"), "unless a person does not want to wait"
    platform.fields["release"] = Release()
    assert why(platform).startswith("0 new labels"), "unless the settings say so"


@pytest.mark.parametrize("what", NOT_WAITED_FOR)
def test_a_release_does_not_wait_where(platform: Platform, what: str) -> None:
    NOT_WAITED_FOR[what](platform)
    assert why(platform).startswith("0 new labels")


def test_what_label_studio_may_hold_is_looked_for_and_holds_up_no_release(platform: Platform) -> None:
    with_studio = {"environ": {PROJECT: "7"}}
    assert sync_verifications(platform.planner(**with_studio)) == [Item(source="label-studio")]
    assert why(platform, **with_studio).startswith("0 new labels")


def test_a_release_that_is_not_finished_comes_before_a_new_one(platform: Platform) -> None:
    for release in ("r0001", "r0002"):
        add_release(platform.ledger, "judo", release=release)
    (item,) = pretrain(platform.planner())
    assert item.release == "r0001", "the oldest first"
    assert notes(platform.planner(), "pretrain")[0].endswith("retrain: r0001 is not finished")
