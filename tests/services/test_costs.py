"""What a category cost, from what people gave and from the rate that scoring measured."""

import pytest
from platform_records import WEEKS, Platform

from slac_tasks.commands.costs import costs
from slac_tasks.networks.rates import Run, Work, write_run
from slac_tasks.networks.settings import Committee, Scoring
from slac_tasks.reports.costs import Cost, lines
from slac_tasks.reports.settings import Costs
from slac_tasks.storage.datasets import CLIPS, VIDEOS
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger

PRICES = Costs(gpu_hour=2.0, annotator_hour=30.0, currency="EUR")


def test_hours_come_from_answers_and_from_the_measured_rate(store: FolderStore, ledger: Ledger) -> None:
    platform = Platform(store=store, ledger=ledger, fields={"committee": Committee(members=("member 0",))})
    platform.register("judo", "polo")
    platform.seat({"judo": ["w0"]})
    for week in WEEKS:
        platform.record(VIDEOS, rows=4, category="judo", window=week)
        platform.record(CLIPS, rows=1200, category="judo", window=week)
    run = Run(device="a card", clips=100, seconds=100.0, startup_sec=5.0, size_bytes=None, measured_at="2026-11-27")
    write_run(platform.store, Work(networks=("r2plus1d_18",), scoring=Scoring()), run)
    with ledger._connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO label_costs VALUES ('judo', '000001', 900, 7200, 0, 0);"
            "INSERT INTO label_kinds VALUES ('judo', 'people', '000001', 450, 400, NULL, NULL, .1, .95, NULL, NULL)"
        )
    judo, polo = costs(platform.planner())
    assert judo == Cost(category="judo", people_hours=2.0, device_hours=1.0, certified=400)
    assert polo == Cost(category="polo", people_hours=0.0, device_hours=None, certified=0)
    assert list(lines([judo, polo], Costs())) == [
        "judo: 2.00 h of people; 1.0 h of a device; 400 certified labels; 18.0 s of people each",
        "polo: 0.00 h of people; no device was timed with its committee of today; 0 certified labels",
    ]
    few = Cost(category="judo", people_hours=0.0, device_hours=0.001, certified=0)
    assert list(lines([few], Costs())) == ["judo: 0.00 h of people; 4 s of a device; 0 certified labels"]
    priced, _ = lines([judo, polo], PRICES)
    assert priced.endswith("18.0 s of people each; 62.00 EUR; 0.1550 EUR each")


@pytest.mark.parametrize(
    ("prices", "hours", "money"),
    [(Costs(), 1.0, None), (PRICES, None, None), (Costs(annotator_hour=30.0), None, 60.0), (PRICES, 1.0, 62.0)],
)
def test_what_is_not_known_is_no_money(prices: Costs, hours: float | None, money: float | None) -> None:
    cost = Cost(category="judo", people_hours=2.0, device_hours=hours, certified=0)
    assert cost.money(prices) == money
    assert cost.each(money) is None
