"""Rates of scoring: what earlier runs say of later ones, and what is unknown."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.model import View
from slac_tasks.networks.rates import NEWEST, Rate, Run, Work, rate_on, rates, size_of, write_run
from slac_tasks.networks.settings import Scoring
from slac_tasks.storage.datasets import CLIPS
from slac_tasks.storage.datasets.scoring import CommitteeRow
from slac_tasks.storage.folder import FolderStore

WORK = Work(networks=("mc3_18", "r3d_18"), scoring=Scoring())


def run(*, device: str = "a card", clips: int = 1000, seconds: float = 10.0, **changes: object) -> Run:
    given = {"startup_sec": 4.0, "size_bytes": 5_000_000, "measured_at": "2026-11-27T10:00:00.000+00:00", **changes}
    return Run(device=device, clips=clips, seconds=seconds, **given)


def test_a_rate_is_that_of_its_own_work_and_device(store: FolderStore) -> None:
    write_run(store, WORK, run())
    other = Work(networks=("mc3_18",), scoring=Scoring())
    exact = Work(networks=WORK.networks, scoring=Scoring(precision="float32"))
    assert rate_on(store, WORK, "a card") == Rate(device="a card", runs=[run()])
    assert rate_on(store, WORK, "another card") is None
    assert rate_on(store, other, "a card") is None
    assert rate_on(store, exact, "a card") is None
    assert rate_on(store, Work(networks=WORK.networks, scoring=Scoring(cache="/elsewhere")), "a card")


def test_every_device_that_did_the_work_is_known(store: FolderStore) -> None:
    for device in ("b", "a", "b"):
        write_run(store, WORK, run(device=device))
    assert [(rate.device, len(rate.runs)) for rate in rates(store, WORK)] == [("a", 1), ("b", 2)]


def test_the_newest_runs_speak_and_the_oldest_go(store: FolderStore) -> None:
    for day in range(1, NEWEST + 4):
        write_run(store, WORK, run(clips=day, measured_at=f"2026-11-{day:02d}T10:00:00.000+00:00"))
    known = rate_on(store, WORK, "a card")
    assert known
    assert [one.clips for one in known.runs] == list(range(NEWEST + 3, 3, -1))
    assert len(list(store.names("rates/"))) == NEWEST


RUNS = st.lists(st.tuples(st.integers(1, 10**6), st.floats(0.1, 1e5), st.floats(0, 100)), min_size=1, max_size=8)


@given(measured=RUNS, clips=st.integers(0, 10**7), tasks=st.integers(1, 50))
def test_an_estimate_lies_between_those_of_the_fastest_and_the_slowest_run(
    measured: list[tuple[int, float, float]], clips: int, tasks: int
) -> None:
    runs = [run(clips=count, seconds=seconds, startup_sec=startup) for count, seconds, startup in measured]
    found = Rate(device="a card", runs=runs).seconds(clips, tasks)
    paces, starts = [seconds / count for count, seconds, _ in measured], [startup for *_, startup in measured]
    assert tasks * min(starts) + clips * min(paces) <= found * (1 + 1e-9)
    assert found <= (tasks * max(starts) + clips * max(paces)) * (1 + 1e-9)


def test_words_hold_the_start_of_every_task_and_what_they_rest_on() -> None:
    rate = Rate(device="a card", runs=[run(), run(clips=3000, seconds=10.0)])
    assert rate.words(2000) == (
        "about 14 s on a card, 4 s of it to start; measured: 200 clips/s over 4,000 clips of 2 runs, last on 2026-11-27"
    )
    assert rate.words(200 * 3600 * 2, tasks=900) == (
        "about 3.0 h on a card, 1.0 h of it to start 900 times; measured: 200 clips/s over 4,000 clips of 2 runs, "
        "last on 2026-11-27"
    )
    assert Rate(device="a", runs=[run(size_bytes=None)]).bytes_per_clip is None


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"device": "a card"}', b"\xff"])
def test_what_is_no_run_is_named_and_stops_nothing(
    store: FolderStore, text: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(store, WORK, run())
    (name,) = store.names("rates/")
    store.put(f"{name.rpartition('/')[0]}/2026.json", text)
    assert rate_on(store, WORK, "a card") == Rate(device="a card", runs=[run()])
    assert "2026.json: says nothing of a run" in capsys.readouterr().err


def test_members_with_one_backbone_look_once() -> None:
    def member(name: str, backbone: str, category: str) -> CommitteeRow:
        return CommitteeRow(
            member=name, architecture=name, category=category, backbone=backbone, head="h", output=0, weights="w",
            origin="bootstrap:2026-01-05",
        )  # fmt: skip

    members = [member("r3d_18", "b1", "judo"), member("r3d_18", "b1", "polo"), member("r3d_18", "b2", "polo")]
    assert Work.of(members, Scoring()).networks == ("r3d_18", "r3d_18")


def test_the_size_of_many_renditions_is_asked_of_some(store: FolderStore, tmp_path: Path) -> None:
    rows = []
    for number in range(100):
        for name in ("128", "256"):
            store.put(f"media/{number:03d}/{name}.mp4", b"x" * (10 if name == "128" else 30))
        rows += [{"proxy_128": f"media/{number:03d}/128.mp4", "proxy_256": f"media/{number:03d}/256.mp4"}] * 3
    clips = CLIPS.from_records(rows)
    small, large = View(16, 112), View(16, 224)
    assert (small.small, large.small) == (True, False)
    assert size_of(store, clips, [small]) == 1000
    assert size_of(store, clips, [small, large]) == 4000
    assert size_of(store, CLIPS.from_records([{"proxy_128": "media/gone", "proxy_256": "media/gone"}]), [small]) is None
