"""Long loops say how far they are, soon after they began and then now and then."""

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from slac_tasks import progress
from slac_tasks.progress import Pace, counted, print_json


class Clock:
    seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(progress, "time", made)
    return made


def test_the_end_is_known_after_the_first_rounds_and_then_every_half_minute(clock: Clock) -> None:
    pace = Pace(1000, first=5)
    said = []
    for done in range(201, 300):  # it goes on after 200
        clock.seconds += 2
        if pace.due(done):
            said.append(done)
    assert said[:3] == [205, 220, 235]
    assert pace.a_second(220 + 79) == pytest.approx(0.5)


def test_a_far_end_is_a_moment(clock: Clock) -> None:
    pace = Pace(100_000)
    assert not pace.due(1)
    clock.seconds += 10
    assert re.fullmatch(r"10 of 100000, about 27\.8 h left, until \d{4}-\d\d-\d\d \d\d:\d\d UTC", pace.left(10))
    assert pace.left(99_900) == "99900 of 100000, about 0 s left"
    assert Pace(None).left(3) == "3"


def test_rows_are_json_with_numbers_as_numbers_and_moments_as_iso_8601(capsys: pytest.CaptureFixture[str]) -> None:
    row = {
        "count": Decimal(12),
        "share": Decimal("0.5"),
        "day": date(2026, 1, 5),
        "at": datetime(2026, 1, 5, tzinfo=UTC),
    }
    print_json([row, {"text": "a\nb"}])
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {"count": 12, "share": 0.5, "day": "2026-01-05", "at": "2026-01-05T00:00:00+00:00"}
    assert second == {"text": "a\nb"}


def test_a_number_has_its_noun_in_the_singular_for_one_alone() -> None:
    assert [counted(number, "label") for number in (0, 1, 2_000)] == ["0 labels", "1 label", "2,000 labels"]
    assert [counted(number, "category") for number in (1, 2)] == ["1 category", "2 categories"]
