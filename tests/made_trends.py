"""Trends of nothing, in which a test puts what it is about."""

from typing import Any

from slac_tasks.reports.trends import Trends


def trends_of(**known: Any) -> Trends:
    """Return trends with these fields; the others are empty."""
    empty: dict[str, Any] = {
        "version": "000001", "rounds": 0, "over_rounds": [], "of_members": [], "found": [], "spent": [],
        "over_days": [], "paces": [],
    }  # fmt: skip
    return Trends(**(empty | known))
