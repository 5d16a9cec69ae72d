"""The mix of strategies on which networks are compared: equal shares that never lose a clip."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from released import released, write_rows

from slac_tasks.model import Split, Strategy
from slac_tasks.release.mix import benchmark, mix_of
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.tables import Datasets

HACS = (Strategy.CONSENSUS, Strategy.RANDOM, Strategy.DISAGREEMENT)
# Few kinds of clips, and several of each: else hardly an example has every strategy in a split, and its mix is empty.
KINDS = [(Split.TESTING, one) for one in (*HACS, None)] + [(Split.VALIDATION, HACS[0]), (Split.TRAINING, HACS[0])]
CLIPS = st.lists(st.integers(0, 4), min_size=len(KINDS), max_size=len(KINDS)).flatmap(
    lambda counts: st.permutations([kind for kind, count in zip(KINDS, counts, strict=True) for _ in range(count)])
)


def mixed(clips: dict[int, tuple[Split, Strategy | None]], before: set[str]) -> set[str]:
    rows = pa.table(
        {
            "clip_id": pa.array([str(clip) for clip in clips], pa.string()),
            "split": pa.array([split for split, _ in clips.values()], pa.string()),
            "strategy": pa.array([strategy for _, strategy in clips.values()], pa.string()),
        }
    )
    found = benchmark(rows, before).to_pylist()
    unknown = [split for (split, _), said in zip(clips.values(), found, strict=True) if said is None]
    assert set(unknown) <= {Split.TRAINING}
    assert len(unknown) == sum(split == Split.TRAINING for split, _ in clips.values())
    return {str(clip) for clip, said in zip(clips, found, strict=True) if said}


@given(first=CLIPS, more=CLIPS, gone=st.sets(st.integers(0, 5)))
def test_shares_are_equal_and_what_was_in_the_mix_stays(first: list, more: list, gone: set[int]) -> None:
    clips = dict(enumerate(first))
    grown = clips | dict(enumerate(more, start=100))
    before = mixed(clips, set())
    assert mixed(dict(reversed(clips.items())), set()) == before, "the lot does not know where a row stands"
    now = mixed(grown, before)
    assert before <= now
    for known, chosen in ((clips, before), (grown, now)):
        for split in (Split.VALIDATION, Split.TESTING):
            own = [known[int(clip)][1] for clip in chosen if known[int(clip)][0] == split]
            most = min(sum(one == (split, strategy) for one in known.values()) for strategy in HACS)
            assert Counter(own) == ({strategy: most for strategy in HACS} if most else {})
    # Where clips of the mix were withdrawn, each strategy has as many as any other as far as there are such clips.
    left = {clip: kind for clip, kind in grown.items() if clip not in gone}
    later = mixed(left, now)
    assert later >= {clip for clip in now if int(clip) in left}
    shares = Counter(left[int(clip)] for clip in later)
    there = Counter(left.values())
    for split in (Split.VALIDATION, Split.TESTING):
        most = max(shares[split, strategy] for strategy in HACS)
        assert all(shares[split, one] == min(most, there[split, one]) for one in HACS)


def test_the_mix_of_a_release_is_read_back_by_category(tmp_path: Path) -> None:
    datasets = Datasets(FolderStore(tmp_path))
    mixed, judo, out = (
        released(letter * 16, category=category, split="testing", benchmark=chosen)
        for letter, category, chosen in (("a", "high_jump", True), ("a", "judo", True), ("b", "judo", False))
    )
    write_rows(datasets, "r0001", [mixed, judo, out, released("c" * 16)])
    assert mix_of(datasets, "r0001") == {"high_jump": {mixed.clip_id}, "judo": {judo.clip_id}}
    assert mix_of(datasets, None) == {}
