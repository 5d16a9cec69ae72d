"""Discover over a folder of sources: what is wrong with one category or file is told and holds up no other."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import MakeJob

from slac_tasks.collect.settings import Collect
from slac_tasks.collect.sources import Candidate, Unreadable
from slac_tasks.errors import BrokenContract, Temporary, WrongArguments
from slac_tasks.model import Window
from slac_tasks.stages import discover
from slac_tasks.storage.datasets import CANDIDATES
from slac_tasks.storage.ledger import Ledger

WEEK = "2026-01-05"


def folders(root: Path, *names: str) -> dict[str, Collect]:
    for name in names:
        (root / "videos" / name).mkdir(parents=True)
        (root / "videos" / name / "a.mp4").write_text(name)
    return {"collect": Collect(sources=(str(root / "videos"),))}


def registered(ledger: Ledger, *categories: str) -> None:
    for category in categories:
        ledger.run("register_category", category=category, name=category, guideline=None)


def test_a_folder_without_a_key_and_classes_that_share_one_hold_up_no_other(
    tmp_path: Path, ledger: Ledger, make_job: MakeJob, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = folders(tmp_path, "judo", "—", "C", "C++", "golf")
    registered(ledger, "judo", "golf")
    job = make_job("discover", categories=("judo", "c", "golf"), window=WEEK, settings=settings)
    with pytest.raises(BrokenContract, match=r"'C' and 'C\+\+' are different names with the same key 'c'"):
        discover.run(job)
    told = capsys.readouterr().err
    assert "category '—' has no letter" in told
    assert told.count("set aside 2 entries:") == 1
    for category in ("judo", "golf"):
        assert job.datasets.need(CANDIDATES, category=category, window=WEEK).rows == 1
    assert job.datasets.manifest(CANDIDATES, category="c", window=WEEK) is None


def test_a_window_that_has_not_ended_is_refused(tmp_path: Path, ledger: Ledger, make_job: MakeJob) -> None:
    # What is published until it ends would be in no dataset of it.
    settings = folders(tmp_path, "judo")
    registered(ledger, "judo")
    job = make_job("discover", categories=("judo",), window=str(Window.of(datetime.now(UTC))), settings=settings)
    with pytest.raises(WrongArguments, match="want one that has ended"):
        discover.run(job)
    assert list(job.datasets.partitions(CANDIDATES)) == []


def test_what_cannot_be_stored_is_a_drop_that_names_it(tmp_path: Path, ledger: Ledger, make_job: MakeJob) -> None:
    settings = folders(tmp_path, "judo")
    (Path(str(tmp_path)) / "videos/judo" / b"caf\xe9.mp4".decode("utf-8", "surrogateescape")).touch()
    registered(ledger, "judo")
    job = make_job("discover", categories=("judo",), window=WEEK, settings=settings)
    discover.run(job)
    made = job.datasets.need(CANDIDATES, category="judo", window=WEEK)
    assert (made.rows, made.dropped) == (1, {"bad name": 1})
    assert made.drops[0].item == "judo/caf\\xe9.mp4"


def test_a_category_that_nobody_registered_is_named_and_holds_up_no_other(
    tmp_path: Path, ledger: Ledger, make_job: MakeJob
) -> None:
    settings = folders(tmp_path, "judo", "golf")
    registered(ledger, "golf")
    job = make_job("discover", categories=("judo", "golf"), window=WEEK, settings=settings)
    with pytest.raises(WrongArguments, match="category judo: not registered, want `slac register`"):
        discover.run(job)
    assert job.datasets.need(CANDIDATES, category="golf", window=WEEK).rows == 1


class Offers:
    """A source of fixed offers."""

    def __init__(self, *offers: Candidate | Unreadable) -> None:
        self.offers = offers

    def categories(self) -> list[str]:
        return ["judo"]

    def unplaced(self) -> list[Unreadable]:
        return []

    def candidates(self, category: str, window: Window) -> list[Candidate | Unreadable]:
        return list(self.offers)


def test_nothing_but_what_may_be_readable_later_writes_no_empty_dataset() -> None:
    locked = Unreadable(item="judo", reason="unreadable", detail="Permission denied", retryable=True)
    bad = Unreadable(item="judo/x", reason="bad name")
    good = Candidate(source="s", source_id="a", location="/a")
    with pytest.raises(Temporary, match="nothing could be read, judo: unreadable: Permission denied"):
        discover.offered([Offers(locked)], "judo", Window.parse(WEEK))
    assert len(discover.offered([Offers(locked), Offers(bad)], "judo", Window.parse(WEEK))[1]) == 2
    found, drops = discover.offered([Offers(locked), Offers(good)], "judo", Window.parse(WEEK))
    assert (found, [drop.retryable for drop in drops]) == ([good], [True])
