import threading
from dataclasses import replace

import pytest
from platform_records import add_release
from queued_clips import fill

from slac_tasks.config import Config
from slac_tasks.errors import Temporary
from slac_tasks.model import content_hash
from slac_tasks.networks.committees import adopt_committees
from slac_tasks.networks.rates import Run, Work, write_run
from slac_tasks.networks.settings import Committee
from slac_tasks.stages import promote
from slac_tasks.storage.datasets import CLIPS, COMMITTEES, EVALUATIONS, JUDGED, MODELS, SCORES
from slac_tasks.storage.datasets.releasing import JudgedRow, ModelRow
from slac_tasks.storage.datasets.scoring import CommitteeRow, ScoreRow
from slac_tasks.training.settings import Training

WINDOW = "2026-01-05"


def weights_of(member: str, category: str) -> str:
    """The key of a member's scores."""
    return content_hash(member, category)


class Ended:
    """A release whose network was trained and judged better than any member, and the committee that labelled it."""

    def __init__(self, make_job, ledger) -> None:
        self.make_job, self.ledger = make_job, ledger
        self.datasets = make_job("promote", release="r0001").datasets
        model = ModelRow(
            architecture="small_3d", backbone="b", head="h", categories=("jump", "wave"), steps=1, clips=1, loss=0.5
        )
        self.write(MODELS, [model], release="r0001")
        judging = [self.judged(number) for number in range(60)]
        self.write(JUDGED, judging, release="r0001")
        self.write(EVALUATIONS, [], release="r0001")
        for member in Committee().members:
            said = [ScoreRow(clip_id=row.clip_id, video_id=row.video_id, member=member, score=0.4) for row in judging]
            self.write(SCORES, said, category="wave", window=WINDOW, weights=weights_of(member, "wave"))
        self.write(COMMITTEES, self.seats("wave"), committee="parent")
        add_release(ledger, "wave")

    def write(self, dataset, rows, /, made_from=(), **keys: str) -> None:
        made = {one.address: one.mark for one in made_from}
        self.datasets.write(dataset, [dataset.table(rows)], keys=keys, stage="test", settings={}, made_from=made)

    @staticmethod
    def judged(number: int) -> JudgedRow:
        """A clip on which the network is right; every member says no, which is right on every other clip."""
        return JudgedRow(
            clip_id=f"{number}:0", video_id=str(number), category="wave", window=WINDOW,
            label=1 if number % 2 else -1, score=0.9 if number % 2 else 0.1, weight=1.0, control=True,
        )  # fmt: skip

    @staticmethod
    def seats(category: str) -> list[CommitteeRow]:
        return [
            CommitteeRow(
                member=member, architecture=member, category=category, backbone="b", head=category, output=0,
                weights=weights_of(member, category), origin=f"bootstrap:{WINDOW}",
            )
            for member in Committee().members
        ]  # fmt: skip

    def promote(self, **given) -> None:
        promote.run(replace(self.make_job("promote", release="r0001"), **given))

    def current(self) -> set[tuple[str, str]]:
        committee = adopt_committees(self.datasets, self.ledger, Committee().members)
        return {(row.member, row.category) for row in self.datasets.rows(COMMITTEES, committee=committee)}


NETWORK = {("pretrained", "jump"), ("pretrained", "wave")}


@pytest.fixture
def ended(make_job, ledger) -> Ended:
    return Ended(make_job, ledger)


def test_a_promoted_network_stays_when_an_extension_of_its_parent_finishes_later(ended):
    ended.promote()
    assert ended.current() > NETWORK
    parent = ended.datasets.need(COMMITTEES, committee="parent")
    ended.write(COMMITTEES, [*ended.seats("wave"), *ended.seats("spin")], committee="later", made_from=[parent])
    assert ended.current() == NETWORK | {(m, c) for m in Committee().members for c in ("wave", "spin")}


def test_a_promotion_that_is_run_again_changes_nothing(ended):
    ended.promote()
    before = ended.ledger.rows("committees")
    ended.promote()
    assert ended.ledger.rows("committees") == before
    assert ended.ledger.one("promotion", release="r0001")["committee"] == before[0]["committee"]


def test_a_committee_that_a_killed_call_wrote_and_did_not_record_is_recorded_when_it_is_adopted(ended):
    ended.current()
    known = {row["address"] for row in ended.ledger.rows("recorded_datasets")}
    assert known == {COMMITTEES.address({"committee": "parent"})}


def test_a_promoted_network_that_lost_its_seat_gets_it_back(ended):
    ended.promote()
    promoted = ended.ledger.rows("committees")[0]["committee"]
    ended.ledger.run("add_committee", committee="parent", origin="by hand", categories=["wave"])
    assert not ended.current() & NETWORK
    ended.promote()
    assert ended.current() > NETWORK
    assert ended.ledger.rows("committees")[0]["committee"] == promoted


def test_a_network_is_held_against_the_best_member_on_the_same_clips(ended):
    ended.promote()
    reason = ended.ledger.one("promotion", release="r0001")["reason"]
    assert reason.startswith(f"gain over {max(Committee().members)} +0.500")
    assert "on 60 clips of 60 videos" in reason


def seat_predecessor(ended):
    """Let the network of the release before have a seat beside the members."""
    seat = CommitteeRow(
        member="pretrained", architecture="small_3d", category="wave", backbone="b", head="old", output=0,
        weights="old", origin="release:r0000",
    )  # fmt: skip
    ended.write(COMMITTEES, [*ended.seats("wave"), seat], committee="with")


def test_a_network_that_is_no_better_than_its_predecessor_is_not_promoted(ended):
    seat_predecessor(ended)
    said = [
        ScoreRow(clip_id=f"{number}:0", video_id=str(number), member="pretrained", score=0.9 if number % 2 else 0.1)
        for number in range(60)
    ]
    ended.write(SCORES, said, category="wave", window=WINDOW, weights="old")
    ended.promote()
    found = ended.ledger.one("promotion", release="r0001")
    assert found["committee"] is None
    assert found["reason"].startswith("gain over pretrained +0.000")


def test_a_promotion_that_was_cut_off_is_decided_by_whom_the_network_replaced(ended, monkeypatch):
    seat_predecessor(ended)
    # Every member is as right as the network; its predecessor is wrong half of the time.
    for weights, yes in {"old": 0.4, **{weights_of(member, "wave"): 0.9 for member in Committee().members}}.items():
        said = [
            ScoreRow(clip_id=f"{number}:0", video_id=str(number), member="m", score=yes if number % 2 else 0.1)
            for number in range(60)
        ]
        ended.write(SCORES, said, category="wave", window=WINDOW, weights=weights)

    def cut_off(*_):
        raise Temporary("cut off")

    with monkeypatch.context() as patched:
        patched.setattr(promote, "_windows_to_rescore", cut_off)
        with pytest.raises(Temporary):
            ended.promote()
    assert ("pretrained", "jump") in ended.current()
    ended.promote()
    found = ended.ledger.one("promotion", release="r0001")
    assert found["committee"] is not None
    assert found["reason"].startswith("gain over pretrained +0.500")


def test_windows_are_scored_again_as_far_as_the_measured_rate_lets_the_budget_reach(ended, capsys):
    # The network has not learnt to spin, so it scores no clip of it.
    for category, week, clips in (
        ("wave", "2026-01-12", 8), ("wave", "2026-01-19", 8), ("spin", "2026-01-19", 20), ("wave", "2026-01-26", 20),
    ):  # fmt: skip
        rows = [{"clip_id": f"{week}:{n}", "video_id": "v", "start_sec": n, "end_sec": n + 2, "split": "training",
                 "proxy_128": "p", "proxy_256": "p", "shot": 0} for n in range(clips)]  # fmt: skip
        made = {"stage": "propose", "settings": {}, "made_from": {}}
        ended.datasets.write(CLIPS, [CLIPS.from_records(rows)], keys={"category": category, "window": week}, **made)
    # People were asked about every clip of the newest week, which alone is more than the budget.
    fill(ended.ledger, 20, category="wave")
    with ended.ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE queue SET round = '2026-01-26.p'")
    config = Config(store_url=ended.datasets.store.url, training=Training(rescore_gpu_hours=10 / 3600))
    job = replace(ended.make_job("promote", release="r0001"), config=config)
    assert promote._windows_to_rescore(job, "r0001") == ["2026-01-19", "2026-01-12"]
    assert "the budget is 3,000 clips, at 300 clips/s, by the settings" in capsys.readouterr().err
    for seconds in (10.0, 20.0):
        run = Run(device=f"card {seconds}", clips=10, seconds=seconds, startup_sec=1.0, size_bytes=None,
                  measured_at="2026-11-27T10:00:00.000+00:00")  # fmt: skip
        write_run(job.store, Work(networks=("small_3d",), scoring=config.scoring), run)
    assert promote._windows_to_rescore(job, "r0001") == ["2026-01-19"]
    assert "the budget is 10 clips, at 1 clips/s, measured on card 10.0" in capsys.readouterr().err


def test_explain_prints_the_evidence_and_decides_nothing(ended, capsys):
    ended.promote(explain=True)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"held against {max(Committee().members)}"
    assert lines[-1].startswith("promoted: gain over")
    assert ended.ledger.one("promotion", release="r0001") is None
    assert not ended.current() & NETWORK


def test_a_race_of_a_promotion_with_bootstrap_loses_nothing(ended, make_job):
    """Whichever is adopted first, the current committee holds what both gained."""
    parent = ended.datasets.need(COMMITTEES, committee="parent")
    for number in range(4):
        category = f"spin{number}"
        ended.write(COMMITTEES, [*ended.seats("wave"), *ended.seats(category)], committee=category, made_from=[parent])
        jobs = [make_job("promote", release="r0001") for _ in range(2)]
        together = threading.Barrier(2)

        def adopt(job=jobs[0], together=together) -> None:
            together.wait()
            adopt_committees(job.datasets, job.ledger, Committee().members)

        other = threading.Thread(target=adopt)
        other.start()
        together.wait()
        promote.run(jobs[1])
        other.join()
        wanted = NETWORK | {(member, category) for member in Committee().members}
        assert wanted <= ended.current()
