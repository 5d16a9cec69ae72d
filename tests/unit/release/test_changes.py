"""How two releases differ, and the number of the later one."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from released import finish, released, write_rows

from slac_tasks.release.changes import KINDS, Changes, count, differences, next_version
from slac_tasks.release.finished import need_release
from slac_tasks.storage.datasets.releasing import ReleaseRow
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.tables import Datasets


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        (Changes(), "2.3.4"),
        (Changes(corrected=3), "2.3.5"),
        (Changes(added=1, corrected=9), "2.4.0"),
        (Changes(changed=1, added=9), "3.0.0"),
        (Changes(withdrawn=1), "3.0.0"),
    ],
)
def test_the_number_says_whether_old_results_still_hold(changes: Changes, number: str) -> None:
    assert next_version("2.3.4", changes) == number
    assert next_version(None, changes) == "1.0.0"


SIGNS = st.dictionaries(
    st.tuples(st.sampled_from(["chess", "judo"]), st.integers(0, 4)),
    st.tuples(st.sampled_from([-1, 1]), st.sampled_from([None, "CC0"])),
    min_size=1,
)


def rows_of(labels: dict[tuple[str, int], tuple[int, str | None]]) -> list[ReleaseRow]:
    return [
        released(f"{clip:016x}", category=category, label=label, licence=licence)
        for (category, clip), (label, licence) in labels.items()
    ]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=SIGNS, new=SIGNS)
def test_every_label_is_counted_once(tmp_path_factory: pytest.TempPathFactory, old: dict, new: dict) -> None:
    datasets = Datasets(FolderStore(tmp_path_factory.mktemp("store")))
    before, now = (write_rows(datasets, name, rows_of(one)) for name, one in (("r0001", old), ("r0002", new)))
    found = sum((count(table) for _, table in differences(datasets, before, now)), Changes())
    both = set(old) & set(new)
    changed = {key for key in both if old[key][0] != new[key][0]}
    assert found == Changes(
        added=len(set(new) - set(old)),
        withdrawn=len(set(old) - set(new)),
        changed=len(changed),
        corrected=len({key for key in both - changed if old[key] != new[key]}),
    )


def test_a_difference_names_clips_and_signs(tmp_path: Path) -> None:
    datasets = Datasets(FolderStore(tmp_path))
    a, b, c, d, e = (released(letter * 16) for letter in "abcde")
    before = write_rows(datasets, "r0001", [a, b, c, e])
    # Where a store holds the media, and less than a millionth of a confidence, is no difference.
    same = replace(e, proxy_256="elsewhere", confidence=e.confidence - 1e-9)
    now = write_rows(datasets, "r0002", [replace(b, label=-1), replace(c, support=3), d, same])
    ((category, table),) = differences(datasets, before, now)
    assert category == "high_jump"
    assert {row.pop("change"): row for row in table.to_pylist()} == {
        "added": {"clip_id": d.clip_id, "before": None, "now": 1},
        "changed": {"clip_id": b.clip_id, "before": 1, "now": -1},
        "withdrawn": {"clip_id": a.clip_id, "before": 1, "now": None},
        "corrected": {"clip_id": c.clip_id, "before": 1, "now": 1},
    }
    assert set(table["change"].to_pylist()) == set(KINDS)


def test_a_release_says_what_it_is_and_what_it_follows(tmp_path: Path) -> None:
    datasets = Datasets(FolderStore(tmp_path))
    first = [
        released("a" * 16, group_id="a"),
        released("b" * 16, group_id="a", label=-1),
        released("a" * 16, 5.0, group_id="a"),
    ]
    finish(datasets, "r0001", first)
    finish(datasets, "r0002", first, before="r0001")
    finish(datasets, "r0003", [*first, released("c" * 16)], before="r0002")
    found = [need_release(datasets, name)[0] for name in ("r0001", "r0002", "r0003")]
    assert [row.version for row in found] == ["1.0.0", "1.0.0", "1.1.0"]
    assert [row.previous for row in found] == [None, "r0001", "r0002"]
    assert (found[0].labels, found[0].positive, found[0].videos, found[0].groups) == (3, 2, 2, 1)
    assert found[0].content == found[1].content != found[2].content
    assert (found[0].added, found[1].added, found[2].added) == (3, 0, 1)
