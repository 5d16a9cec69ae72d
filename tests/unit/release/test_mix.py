"""The mix of strategies on which networks are compared: equal shares that never lose a clip."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from released import released, write_rows

from slac_tasks.model import Split, Strategy
from slac_tasks.release.mix import MIXED, benchmark, mix_of
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.tables import Datasets

CLIPS = st.dictionaries(
    st.integers(0, 99),
    st.tuples(st.sampled_from(list(Split)), st.none() | st.sampled_from(list(Strategy))),
    max_size=40,
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


@given(first=CLIPS, more=CLIPS)
def test_shares_are_equal_and_what_was_in_the_mix_stays(first: dict, more: dict) -> None:
    grown = {**more, **first}
    before = mixed(first, set())
    now = mixed(grown, before)
    assert before <= now
    for clips, chosen in ((first, before), (grown, now)):
        for split in (Split.VALIDATION, Split.TESTING):
            own = [clips[int(clip)][1] for clip in chosen if clips[int(clip)][0] == split]
            most = min(sum(one == (split, strategy) for one in clips.values()) for strategy in MIXED)
            assert Counter(own) == ({strategy: most for strategy in MIXED} if most else {})


def test_the_mix_of_a_release_is_read_back_by_category(tmp_path: Path) -> None:
    datasets = Datasets(FolderStore(tmp_path))
    mixed, judo, out = (
        released(letter * 16, category=category, split="testing", benchmark=chosen)
        for letter, category, chosen in (("a", "high_jump", True), ("a", "judo", True), ("b", "judo", False))
    )
    write_rows(datasets, "r0001", [mixed, judo, out, released("c" * 16)])
    assert mix_of(datasets, "r0001") == {"high_jump": {mixed.clip_id}, "judo": {judo.clip_id}}
    assert mix_of(datasets, None) == {}
