"""What the ledger and the pages show of the newest labels stays that of the newest, whoever ends last."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from review_work import TWICE, cast, lease, publish_and_answer

from slac_tasks import cli
from slac_tasks.garbage import DELETING
from slac_tasks.release.recording import RELEASING
from slac_tasks.stages import aggregate, certify, report, sync, validate
from slac_tasks.storage.datasets import CARRIED, CONTROL
from slac_tasks.storage.datasets.labelling import CarriedRow, ControlRow
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.gold_segments import ASKING
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.outcome import NEWEST_CERTIFICATES, NEWEST_LABELS, NEWEST_VERDICTS

STAGES = {stage.__name__.rpartition(".")[2]: stage for stage in (sync, aggregate, validate, certify, report)}
OLDER, NEWER = "000001", "000002"


class Loop:
    """Four clips that one person said yes to, and what becomes of them."""

    def __init__(self, make_job: Any, ledger: Ledger) -> None:
        self.make_job, self.ledger = make_job, ledger
        publish_and_answer(make_job, ledger, {"ann": "yes"}, clips=4)
        self.datasets: Datasets = make_job("sync").datasets

    def run(self, *stages: str) -> None:
        for stage in stages:
            STAGES[stage].run(self.make_job(stage, settings={"review": TWICE}))

    def answer(self) -> None:
        """Have a second person agree."""
        for clip in lease(self.ledger, "bob"):
            cast(self.ledger, "bob", clip["clip_id"], "yes")

    def carry(self, version: str) -> None:
        """Write what `carry` makes of a version of the labels."""
        control = ControlRow(
            clip_id="c:0", category="high_jump", kind="model", label=1, confidence=0.9, truth=1, weight=1.0
        )  # fmt: skip
        carried = CarriedRow(
            clip_id="w:0", video_id="w", start_sec=0.0, end_sec=2.0, split="training", category="high_jump",
            kind="model", label=1, confidence=0.9, support=9,
        )  # fmt: skip
        made: dict[str, Any] = {"stage": "test", "settings": {}, "made_from": {}, "keys": {"labels": version}}
        self.datasets.write(CONTROL, [CONTROL.table([control])], **made)
        self.datasets.write(CARRIED, [CARRIED.table([carried])], **made)

    def column(self, statement: str) -> set[Any]:
        with self.ledger._connection.cursor() as cursor:
            cursor.execute(statement)
            return {value for (value,) in cursor.fetchall()}


@pytest.fixture
def loop(make_job: Any, ledger: Ledger) -> Loop:
    return Loop(make_job, ledger)


def to_aggregate(loop: Loop) -> None:
    loop.run("sync")


def newer_aggregate(loop: Loop) -> None:
    loop.answer()
    loop.run("sync", "aggregate")


def queued(loop: Loop) -> set[Any]:
    return loop.column("SELECT state FROM queue")


def to_validate(loop: Loop) -> None:
    loop.run("sync", "aggregate")


def newer_validate(loop: Loop) -> None:
    newer_aggregate(loop)
    loop.run("validate")


def judged(loop: Loop) -> set[Any]:
    return loop.column("SELECT labels FROM annotator_quality")


def to_certify(loop: Loop) -> None:
    loop.run("sync")
    loop.carry(OLDER)


def newer_certify(loop: Loop) -> None:
    loop.answer()
    loop.run("sync")
    loop.carry(NEWER)
    loop.run("certify")


def certified(loop: Loop) -> set[Any]:
    return loop.column("SELECT labels FROM label_kinds")


def to_report(loop: Loop) -> None:
    loop.run("sync", "aggregate", "validate")


def newer_report(loop: Loop) -> None:
    newer_validate(loop)
    loop.run("report")


def reported(loop: Loop) -> set[Any]:
    return {json.loads(loop.datasets.store.get("reports/v1/trends.json"))["version"]}


CASES: dict[str, tuple[Callable[[Loop], None], Callable[[Loop], None], Callable[[Loop], set[Any]], str]] = {
    "aggregate": (to_aggregate, newer_aggregate, queued, "finished"),
    "validate": (to_validate, newer_validate, judged, NEWER),
    "certify": (to_certify, newer_certify, certified, NEWER),
    "report": (to_report, newer_report, reported, NEWER),
}
"""By stage: what comes before it, what another process does meanwhile, what is shown, and what it is in the end."""


@pytest.mark.parametrize("stage", CASES)
def test_an_older_version_is_never_written_over_a_newer_one(
    loop: Loop, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, meanwhile, shown, wanted = CASES[stage]
    before(loop)
    asked, began = Ledger.rows, []

    def rows(ledger: Ledger, name: str, /, **parameters: Any) -> Any:
        if name == "lock_partition" and not began:
            began.append(name)
            meanwhile(loop)
        return asked(ledger, name, **parameters)

    monkeypatch.setattr(Ledger, "rows", rows)
    loop.run(stage)
    assert began
    assert shown(loop) == {wanted}


@pytest.mark.parametrize("held", [NEWEST_LABELS, NEWEST_VERDICTS, NEWEST_CERTIFICATES, DELETING, ASKING, RELEASING])
def test_a_repair_waits_for_who_writes_of_the_newest_labels_or_deletes_garbage(
    ledger: Ledger, ledger_url: str, store: FolderStore, held: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for name, value in {"SLAC_STORE": store.url, "SLAC_DATABASE_URL": ledger_url, "SLAC_CONFIG": ""}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("slac_tasks.commands.doctor.CHECKS", {})
    with ledger.alone(held):
        assert cli.main(["doctor", "--reconcile"]) == 75
    assert f"{held}: another process makes it now" in capsys.readouterr().err
