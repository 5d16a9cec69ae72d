"""A partition that two processes make at once is written by one of them."""

import pytest
from conftest import MakeJob

from slac_tasks.errors import Temporary
from slac_tasks.job import Job
from slac_tasks.storage.datasets import CANDIDATES, CLIPS
from slac_tasks.storage.datasets.collecting import CandidateRow
from slac_tasks.storage.ledger import Ledger

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
