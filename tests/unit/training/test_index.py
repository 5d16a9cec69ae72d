"""The index of a release: what stands in it, whatever the order of the rows, and what a worker is sent of it."""

import os
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from released import released

from slac_tasks.model import clip_id
from slac_tasks.storage.datasets import RELEASES
from slac_tasks.training.index import COLUMNS, Index, temporary_index

CATEGORIES = ("judo", "polo", "surfing")

LABELS = st.dictionaries(
    st.tuples(st.sampled_from("abc"), st.integers(0, 5), st.sampled_from(CATEGORIES)),
    st.tuples(st.sampled_from([-1, 1])), max_size=25,
)  # fmt: skip


def index_of(labels: dict, split: str = "training", **options: object) -> Index:
    rows = [
        released(video * 16, float(second), category=category, label=label, split=split)
        for (video, second, category), (label,) in labels.items()
    ]
    tables = [RELEASES.table(rows[at::2]).select(list(COLUMNS)) for at in range(2)]
    wanted = {"split": "training", "small": True, "withdrawn": lambda *_: False, **options}
    return temporary_index(tables, **wanted)


@settings(max_examples=50)
@given(labels=LABELS)
def test_it_holds_every_clip_once_with_all_of_its_labels(labels: dict) -> None:
    index = index_of(labels)
    clips = sorted({(video * 16, float(second)) for video, second, _ in labels})
    places = index.places(range(len(index)))
    assert [(place.video_id, place.start_sec) for place in places] == clips
    assert [place.clip_id for place in places] == [clip_id(*clip) for clip in clips]
    assert index.categories == tuple(sorted({category for _, _, category in labels}))
    targets = index.targets(list(range(len(index)))).tolist()
    found = {
        (clip[0][0], int(clip[1]), category): (value,)
        for clip, row in zip(clips, targets, strict=True)
        for category, value in zip(index.categories, row, strict=True)
        if value
    }
    assert found == labels
    every = index.labels
    kinds = list(zip((index.categories[number] for number in every.category), every.sign.tolist(), strict=True))
    assert {(*clips[clip], *kind) for clip, kind in zip(every.clip, kinds, strict=True)} == {
        (video * 16, float(second), category, sign) for (video, second, category), (sign,) in labels.items()
    }
    assert len(every.sign) == len(labels)
    assert len(set(zip(every.cell.tolist(), kinds, strict=True))) == len(set(every.cell.tolist())) == len(set(kinds))
    assert index.videos.tolist() == [sorted({video for video, _ in clips}).index(video) for video, _ in clips]


def test_other_splits_give_categories_and_withdrawn_videos_nothing() -> None:
    labels = {("a", 1, "judo"): (1,), ("b", 1, "polo"): (1,)}
    assert len(index_of(labels, split="testing")) == 0
    assert index_of(labels, split="testing").categories == ("judo", "polo")
    index = index_of(labels, withdrawn=lambda video, source: video == "a" * 16)
    assert ([place.video_id for place in index.places([0])], len(index)) == (["b" * 16], 1)
    assert index.withdrawn_videos == ("a" * 16,)
    # The source's name of a video withdraws it as well; all of these have one.
    index = index_of(labels, withdrawn=lambda video, source: source == "judo.mp4")
    assert (len(index), index.withdrawn_videos) == (0, ("a" * 16, "b" * 16))


def test_it_lies_where_a_name_is_not_utf_8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    index = index_of({("a", 1, "judo"): (1,)})
    assert folder in index.path.parents
    assert index.place(0).start_sec == 1


def test_a_process_is_sent_a_path_and_the_file_goes_with_the_index() -> None:
    index = index_of({("a", second, "judo"): (1,) for second in range(50)})
    path: Path = index.path
    assert len(ForkingPickler.dumps(index)) < 200
    assert index.place(3).proxy == f"media/{'a' * 16}/128.mp4"
    assert index_of({("a", 1, "judo"): (1,)}, small=False).place(0).proxy.endswith("256.mp4")
    del index
    assert not path.exists()
