import pytest
from platform_records import add_release

from slac_tasks.networks.committees import adopt_committees
from slac_tasks.networks.settings import Committee
from slac_tasks.stages import promote
from slac_tasks.stages.promote import verdict
from slac_tasks.storage.datasets import COMMITTEES, EVALUATIONS, MODELS
from slac_tasks.storage.datasets.releasing import EvaluationRow, ModelRow
from slac_tasks.storage.datasets.scoring import CommitteeRow


@pytest.mark.parametrize(
    ("found", "guess", "gain", "promoted"),
    [(0.75, 0.6, 0.0, True), (0.6, 0.6, 0.0, False), (0.65, 0.6, 0.1, False), (0.5, 0.6, 0.0, False)],
)
def test_a_network_is_promoted_when_it_beats_the_best_guess(
    found: float, guess: float, gain: float, promoted: bool
) -> None:
    measures = {("testing_accuracy", "pretrained"): found, ("testing_best_guess", "guess"): guess}
    decided, reason = verdict(measures, gain)
    assert decided is promoted
    assert f"{found:.3f}" in reason
    assert f"{guess:.3f}" in reason


def test_without_testing_clips_nothing_is_promoted() -> None:
    decided, reason = verdict({("transfer_accuracy", "pretrained"): 0.9}, 0.0)
    assert not decided
    assert "no testing clips" in reason


class Ended:
    """A release whose network was trained and judged better than a guess, and the committee that labelled it."""

    def __init__(self, make_job, ledger) -> None:
        self.make_job, self.ledger = make_job, ledger
        self.datasets = make_job("promote", release="r0001").datasets
        model = ModelRow(
            architecture="small_3d", backbone="b", head="h", categories=("jump", "wave"), steps=1, clips=1, loss=0.5
        )
        self.write(MODELS, [model], release="r0001")
        shares = [("testing_accuracy", "pretrained", 0.9), ("testing_best_guess", "guess", 0.5)]
        measured = [
            EvaluationRow(measure=measure, subject=subject, value=value, low=0.0, high=1.0, repeats=99, budget="")
            for measure, subject, value in shares
        ]
        self.write(EVALUATIONS, measured, release="r0001")
        self.write(COMMITTEES, self.seats("wave"), committee="parent")
        add_release(ledger, "wave")

    def write(self, dataset, rows, /, made_from=(), **keys: str) -> None:
        made = {one.address: one.mark for one in made_from}
        self.datasets.write(dataset, [dataset.table(rows)], keys=keys, stage="test", settings={}, made_from=made)

    @staticmethod
    def seats(category: str) -> list[CommitteeRow]:
        return [
            CommitteeRow(
                member=member, architecture=member, category=category, backbone="b", head=category, output=0,
                weights=f"{member} {category}", origin="bootstrap:2026-01-05",
            )
            for member in Committee().members
        ]  # fmt: skip

    def promote(self) -> None:
        promote.run(self.make_job("promote", release="r0001"))

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


def test_a_promoted_network_that_lost_its_seat_gets_it_back(ended):
    ended.promote()
    promoted = ended.ledger.rows("committees")[0]["committee"]
    ended.ledger.run("add_committee", committee="parent", origin="by hand", categories=["wave"])
    assert not ended.current() & NETWORK
    ended.promote()
    assert ended.current() > NETWORK
    assert ended.ledger.rows("committees")[0]["committee"] == promoted
