"""Admission: a category holds a content once, a group has one split, and what meets a stricter split leaves."""

from collections.abc import Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from slac_tasks.admission.likeness.verdict import Likeness, Strength
from slac_tasks.admission.settings import Admission
from slac_tasks.stages.deduplicate import Admitter, Known
from slac_tasks.storage.datasets.collecting import FetchedRow
from slac_tasks.storage.manifests import Drop

WEEK = "2026-01-05"
SAME = Likeness(strength=Strength.SAME, rows=13, alike=12, chance=1e-9)
RELATED = Likeness(strength=Strength.RELATED, rows=5, alike=5, chance=0.02)


def admitter(
    alike: Mapping[str, Sequence[str]],
    known: Sequence[Known] = (),
    tombstones: Mapping[str, str] | None = None,
    excluded: Mapping[str, str] | None = None,
    likeness: Likeness = SAME,
) -> Admitter:
    found = {video: dict.fromkeys(others, likeness) for video, others in alike.items()}
    return Admitter(Admission(), WEEK, known, tombstones or {}, found, excluded or {})


def row(video_id: str) -> FetchedRow:
    return FetchedRow(
        candidate_id=f"c-{video_id}", source="s", source_id=video_id, duration_sec=60.0, fps=25.0, proxy_256="256",
        proxy_128="128", proxy_sha256="0", shots=(), video_id=video_id, media_sha256=video_id, size_bytes=1,
        codec="h264", width=320, height=240, frame_hashes=(),
    )  # fmt: skip


def held(video_id: str, split: str, category: str = "old", group_id: str = "") -> Known:
    return Known(video_id=video_id, group_id=group_id or video_id, split=split, windows={category: "2025-12-29"})


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abc")), max_size=20))
def test_a_group_has_one_split_and_a_category_holds_a_content_once(offers: list[tuple[int, str]]) -> None:
    alike = {f"v{number}": [f"v{(number + 3) % 6}"] for number in range(6)}
    decider = admitter(alike)
    shown: set[tuple[int, str]] = set()
    for number, category in offers:
        decision = decider.decide(row(f"v{number}"), category)
        if isinstance(decision, Drop):
            assert decision.reason == "near-duplicate"
            assert (number % 3, category) in shown
        shown.add((number % 3, category))
    assert not decider.leaked
    splits: dict[str, set[str]] = {}
    for video in decider.known.values():
        splits.setdefault(video.group_id, set()).add(video.split)
    assert all(len(found) == 1 for found in splits.values())


SPLITS = ("training", "validation", "testing")


@settings(max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(SPLITS), st.integers(0, 2)), min_size=1, max_size=6), st.data())
def test_nothing_tested_moves_and_nothing_like_it_stays_elsewhere(
    members: list[tuple[str, int]], data: st.DataObject
) -> None:
    known = [held(f"v{number}", split, group_id=f"g-{split}-{group}") for number, (split, group) in enumerate(members)]
    before = {video.video_id: video.split for video in known}
    near = data.draw(st.lists(st.sampled_from(sorted(before)), min_size=1, unique=True))
    decider = admitter({"new": near}, known)
    new = decider.decide(row("new"), "c")
    assert isinstance(new, Known)
    strictest = max((before[other] for other in near), key=SPLITS.index)
    assert new.split == strictest
    for video_id, split in before.items():
        if split == "testing":
            assert decider.known[video_id].split == "testing"
            assert video_id not in decider.leaked
    assert all(decider.known[other].split == strictest for other in near)
    assert {other for other in near if before[other] != strictest} <= set(decider.leaked)
    assert all(before[video_id] != strictest for video_id in decider.leaked)


def test_the_whole_training_group_leaves_and_what_looks_like_it_is_tested() -> None:
    known = [held("a1", "training", "x"), held("a2", "training", "y", "a1"), held("b", "testing", "x")]
    decider = admitter({"new": ["b", "a1"], "later": ["a2"]}, known)
    new = decider.decide(row("new"), "z")
    assert isinstance(new, Known)
    assert (new.group_id, new.split) == ("b", "testing")
    assert set(decider.leaked) == {"a1", "a2"}
    assert decider.decide(row("a1"), "z") == Drop(item="c-a1", reason="leak", detail="a1")
    later = decider.decide(row("later"), "y")
    assert isinstance(later, Known)
    assert (later.group_id, later.split) == ("b", "testing")


def test_what_was_taken_down_stays_out_and_so_does_what_looks_like_it() -> None:
    known = [held("a", "training", "x")]
    decider = admitter({"new": ["a"]}, known, {"a": "uploader asked"})
    assert decider.decide(row("a"), "y") == Drop(item="c-a", reason="taken down", detail="a")
    assert decider.decide(row("new"), "x") == Drop(item="c-new", reason="near-duplicate", detail=f"a, {SAME}")


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abc")), max_size=20))
def test_what_may_be_the_same_is_never_dropped_and_shares_a_group(offers: list[tuple[int, str]]) -> None:
    alike = {f"v{number}": [f"v{(number + 3) % 6}"] for number in range(6)}
    decider = admitter(alike, likeness=RELATED)
    for number, category in offers:
        decision = decider.decide(row(f"v{number}"), category)
        assert isinstance(decision, Known)
        if other := decider.known.get(f"v{(number + 3) % 6}"):
            assert (decision.group_id, decision.split) == (other.group_id, other.split)


def test_what_is_related_to_a_taken_down_video_stays() -> None:
    decider = admitter({"new": ["a"]}, [held("a", "testing", "x")], {"a": "uploader asked"}, likeness=RELATED)
    new = decider.decide(row("new"), "x")
    assert isinstance(new, Known)
    assert (new.group_id, new.split) == ("a", "testing")


def test_the_same_bytes_are_in_a_category_once() -> None:
    decider = admitter({}, [held("a", "training", "x")])
    assert decider.decide(row("a"), "x") == Drop(item="c-a", reason="duplicate bytes", detail="a in 2025-12-29")
    video = decider.decide(row("a"), "y")
    assert decider.decide(row("a"), "y") is video


@settings(max_examples=100)
@given(st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=12), st.sets(st.integers(0, 7)))
def test_nothing_joins_that_shows_what_another_benchmark_tests_on(pairs: set[tuple[int, int]], out: set[int]) -> None:
    both = pairs | {(other, one) for one, other in pairs}
    alike = {f"v{number}": [f"v{other}" for one, other in both if one == number != other] for number in range(8)}
    decider = admitter(alike, excluded={f"v{number}": "kinetics" for number in out})
    for number in range(8):
        decision = decider.decide(row(f"v{number}"), f"category{number}")
        shows = number in out or any(f"v{other}" in alike[f"v{number}"] for other in out)
        assert isinstance(decision, Drop) == shows
        if isinstance(decision, Drop):
            assert decision.reason == "excluded"
            assert decision.detail.endswith("of kinetics")
