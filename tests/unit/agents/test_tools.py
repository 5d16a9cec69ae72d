"""Arguments of tools are checked before anything is read."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from math import inf, nan
from typing import Any

import pytest

from slac_tasks.agents.tools import CLIPS_MOST, TOOLS, Platform, plain
from slac_tasks.errors import WrongArguments


@pytest.mark.parametrize(
    ("tool", "given", "said"),
    [
        ("funnel", {"category": "judo"}, "category: is no argument of funnel"),
        ("clips", {}, "category: is missing"),
        ("clips", {"category": 7}, "category: 7, want a text"),
        ("clips", {"category": "\ud800"}, r"category: '\\ud800', want a text"),
        ("rounds", {"category": "a\0"}, r"category: 'a\\x00', want a text"),
        ("clips", {"category": "judo", "label": "maybe"}, "label: 'maybe', want positive or negative"),
        ("clips", {"category": "judo", "most": CLIPS_MOST + 1}, "most: 501, want a whole number from 1 to 500"),
        ("clips", {"category": "judo", "most": True}, "most: True, want a whole number"),
    ],
)
def test_a_wrong_argument_is_refused_by_name(tool: str, given: dict[str, Any], said: str) -> None:
    nowhere = Platform(datasets=None, ledger=None)  # type: ignore[arg-type]
    with pytest.raises(WrongArguments, match=said):
        TOOLS[tool].ask(nowhere, given)


def test_every_value_of_an_answer_is_json() -> None:
    found = {"at": datetime(2026, 1, 5, tzinfo=UTC), "share": Decimal("0.5"), "of": (nan, inf, 1.0), "none": None}
    text = json.dumps(plain(found), allow_nan=False)
    assert text == '{"at": "2026-01-05T00:00:00+00:00", "share": 0.5, "of": [null, null, 1.0], "none": null}'
