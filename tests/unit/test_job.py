"""A partition that two processes make at once is written by one of them; when a finished one is made again."""

import errno
import itertools
from contextlib import closing
from typing import Any

import pooled_server
import pytest
from conftest import MakeJob

from slac_tasks.config import Config
from slac_tasks.errors import NotConfigured, NotMade, Temporary, WrongArguments
from slac_tasks.forgetting import names_held
from slac_tasks.job import Job, do_each
from slac_tasks.model import moment
from slac_tasks.storage.datasets import CANDIDATES, CLIPS, FETCHED, VIDEOS
from slac_tasks.storage.datasets.collecting import CandidateRow
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Drop, Manifest

WEEK, NEXT = "2026-01-05", "2026-01-12"
LATER = "2100-01-01T00:00:00+00:00"


def made(make_job: Any, stage: str, dataset: Any, *, drops: list[Drop] | None = None, **fields: Any) -> Manifest:
    """Run one partition of a stage; return its manifest."""
    keys = {"category": fields.pop("category", "judo"), "window": fields.pop("window", WEEK)}
    inputs = fields.pop("inputs", [])
    with make_job(stage, **fields).partition(dataset, keys, inputs=inputs) as partition:
        if not partition.finished:
            partition.drops = drops or []
    return partition.manifest


def videos(make_job: Any, *ids: str) -> Manifest:
    """Write the next generation of judo's videos."""
    rows = [
        {"candidate_id": one, "source": "s", "source_id": one, "video_id": one, "group_id": one, "duration_sec": 3.0,
         "fps": 24.0, "proxy_256": "p", "proxy_128": "p", "proxy_sha256": "h", "shots": [], "split": "training"}
        for one in ids
    ]  # fmt: skip
    return make_job("propose").datasets.write(
        VIDEOS, [VIDEOS.from_records(rows)], keys={"category": "judo", "window": WEEK}, stage="deduplicate",
        settings={}, made_from={},
    )  # fmt: skip


def test_what_is_remade_is_named_by_values_of_its_keys(make_job: Any) -> None:
    for category, window in itertools.product(("judo", "polo"), (WEEK, NEXT)):
        made(make_job, "propose", CLIPS, category=category, window=window)
    for remakes, wanted in {
        ("judo/2026-01-05",): [2, 1, 1, 1],
        ("polo",): [2, 1, 2, 2],
        ("2026-01-12/judo", "polo/2026-01-12"): [2, 2, 2, 3],
        ("jud", "2026"): [2, 2, 2, 3],
    }.items():
        found = [
            made(make_job, "propose", CLIPS, category=category, window=window, remakes=remakes).generation
            for category, window in itertools.product(("judo", "polo"), (WEEK, NEXT))
        ]
        assert found == wanted, remakes


@pytest.mark.parametrize("is_there", [True, False])
def test_a_job_knows_which_values_named_one_of_its_partitions(make_job: Any, is_there: bool) -> None:
    if is_there:
        made(make_job, "propose", CLIPS)
    job = make_job("propose", remakes=("judo", f"{WEEK}/judo", "judo/2026-01-06", "jud"))
    with job.partition(CLIPS, {"category": "judo", "window": WEEK}):
        pass
    assert job.met == {"judo", f"{WEEK}/judo"}


def test_an_input_with_other_rows_is_followed_where_that_is_asked(make_job: Any) -> None:
    first = made(make_job, "propose", CLIPS, inputs=[videos(make_job, "v1")])
    same = videos(make_job, "v1")
    assert made(make_job, "propose", CLIPS, inputs=[same], follow=True) == first
    more = videos(make_job, "v1", "v2")
    assert made(make_job, "propose", CLIPS, inputs=[more]) == first
    second = made(make_job, "propose", CLIPS, inputs=[more], follow=True)
    assert (second.generation, second.made_from) == (2, {more.address: more.mark})
    assert made(make_job, "propose", CLIPS, inputs=[more], follow=True) == second


def test_stale_is_what_was_made_from_other_rows(make_job: Any, capsys: pytest.CaptureFixture[str]) -> None:
    made(make_job, "propose", CLIPS, inputs=[videos(make_job, "v1")])
    made(make_job, "propose", CLIPS, inputs=[videos(make_job, "v1")])
    assert "finished already" in capsys.readouterr().err
    made(make_job, "propose", CLIPS, inputs=[videos(make_job, "v2")])
    assert "is stale, made from an older videos/v1/category=judo/window=2026-01-05" in capsys.readouterr().err


def test_an_input_whose_older_generation_is_gone_counts_as_another_one(make_job: Any) -> None:
    before = videos(make_job, "v1")
    made(make_job, "propose", CLIPS, inputs=[before])
    now = videos(make_job, "v1")
    make_job("propose").store.delete(f"{before.address}/g0001/manifest.json")
    assert made(make_job, "propose", CLIPS, inputs=[now], follow=True).generation == 2


def test_drops_are_tried_again_once_for_each_moment(make_job: Any) -> None:
    busy = [Drop(item="c1", reason="rate-limited", retryable=True)]
    first = made(make_job, "fetch", FETCHED, drops=busy)
    assert made(make_job, "fetch", FETCHED, drops=busy) == first
    assert made(make_job, "fetch", FETCHED, drops=busy, retry="2020-01-01T00:00:00+00:00") == first
    # A task that is started twice with one argv: the second finds a generation that is newer than the moment.
    plan = moment(first.written_at).isoformat()
    second = made(make_job, "fetch", FETCHED, drops=busy, retry=LATER)
    assert second.generation == 2
    assert made(make_job, "fetch", FETCHED, drops=busy, retry=plan) == second


def test_drops_that_are_final_are_not_tried_again(make_job: Any) -> None:
    first = made(make_job, "fetch", FETCHED, drops=[Drop(item="c1", reason="gone")])
    assert made(make_job, "fetch", FETCHED, retry=LATER) == first


@pytest.mark.parametrize("text", ["yesterday", "2026-01-05", "2026-01-05T00:00:00"])
def test_a_moment_has_a_zone(text: str) -> None:
    with pytest.raises(WrongArguments, match="want a time with its zone"):
        moment(text)


def test_one_that_fails_does_not_hold_up_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    done = []

    def work(value: str) -> None:
        if value == "b":
            raise WrongArguments("b is wrong")
        done.append(value)

    with pytest.raises(WrongArguments, match="b is wrong"):
        do_each("fetch", "window", ["a", "b", "c"], work)
    assert done == ["a", "c"]
    assert capsys.readouterr().err == "fetch: window b failed: b is wrong\n"


@pytest.mark.parametrize("passing", [Temporary("restarting"), OSError(errno.ENOSPC, "no space left")])
def test_a_failure_that_may_pass_is_the_one_that_is_told(
    passing: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(failure: Exception) -> None:
        raise failure

    with pytest.raises(type(passing)) as caught:
        do_each("fetch", "window", [NotMade("not made yet"), passing], work)
    assert caught.value is passing
    assert "Traceback" not in capsys.readouterr().err


KEYS = {"category": "judo", "window": "2026-01-05"}


def candidate(name: str) -> CandidateRow:
    return CandidateRow(candidate_id=name, source="s", source_id=name, location="/a")


def make(job: Job, name: str) -> None:
    with job.partition(CANDIDATES, KEYS) as made:
        if not made.finished:
            made.write([candidate(name)])


@pytest.mark.parametrize("remake", [False, True])
def test_a_stage_with_the_ledgers_password_has_its_partition_for_itself(
    make_job: MakeJob, ledger: Ledger, remake: bool
) -> None:
    first, second = (make_job("discover", remake=remake) for _ in range(2))
    with first.partition(CANDIDATES, KEYS) as made:
        with pytest.raises(Temporary, match="another process makes it now; this one wrote nothing"):
            make(second, "second")
        made.write([candidate("first")])
    (row,) = first.datasets.rows(CANDIDATES, **KEYS)
    assert row.candidate_id == "first"
    assert first.datasets.need(CANDIDATES, **KEYS).generation == 1
    make(second, "second")
    assert second.datasets.need(CANDIDATES, **KEYS).generation == (2 if remake else 1)


def test_a_stage_that_failed_gives_its_partition_back(make_job: MakeJob, ledger: Ledger) -> None:
    first, second = (make_job("discover") for _ in range(2))
    with pytest.raises(RuntimeError), first.partition(CANDIDATES, KEYS):
        raise RuntimeError("a bug")
    make(second, "second")
    assert second.datasets.need(CANDIDATES, **KEYS).rows == 1


def test_a_process_that_dies_gives_its_partition_back(make_job: MakeJob, ledger: Ledger) -> None:
    first, second = (make_job("discover") for _ in range(2))
    block = first.partition(CANDIDATES, KEYS)
    block.__enter__()
    first.ledger.close()
    make(second, "second")
    assert second.datasets.need(CANDIDATES, **KEYS).rows == 1


@pytest.mark.parametrize("remake", [False, True])
def test_of_two_processes_without_the_ledger_the_later_one_writes_nothing(make_job: MakeJob, remake: bool) -> None:
    first, second = (make_job("propose", remake=remake) for _ in range(2))
    with pytest.raises(Temporary, match="another process finished it first; this one wrote nothing"):
        with second.partition(CLIPS, KEYS), first.partition(CLIPS, KEYS):
            pass
    assert first.datasets.need(CLIPS, **KEYS).generation == 1
    assert [name for name in first.store.names("clips/") if "/g0002/" in name] == []


def test_a_pool_that_lends_sessions_by_transaction_is_refused_by_stages_since_their_locks_would_not_hold(
    ledger_url: str,
) -> None:
    with pooled_server.running(ledger_url) as url:
        with closing(Ledger(url)) as first, closing(Ledger(url)) as second:
            assert [one.rows("lock_partition", address="a")[0]["taken"] for one in (first, second)] == [True, True]
        job = Job(stage="publish", config=Config(store_url="/none"), environ={"SLAC_DATABASE_URL": url})
        refused = pytest.raises(NotConfigured, match=r"want one that lends them by session \(pool_mode=session\)")
        with refused:
            _ = job.ledger
        for taken in (lambda one: one.alone("a"), names_held):
            with closing(Ledger(url)) as one, refused, taken(one):
                pass
    direct = Job(stage="publish", config=Config(store_url="/none"), environ={"SLAC_DATABASE_URL": ledger_url})
    assert direct.ledger.rows("categories") == []
    direct.ledger.close()
