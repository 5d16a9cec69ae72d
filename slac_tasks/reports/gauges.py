"""What Prometheus reads of the platform: gauges, all of them from one query of the ledger.

To add one: a line here, its rows in `sql/queries/gauges.sql`. `docker/watch` has alerts and a dashboard of them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

GAUGES: Mapping[str, str] = {
    "slac_categories": "Categories at work.",
    "slac_videos": "Admitted videos of a category.",
    "slac_open_clips": "Clips of a category that wait for answers.",
    "slac_answers": "Answers that people gave on clips of a category.",
    "slac_refused": "1 where labels of a category were refused and nobody has decided; else 0.",
    "slac_waiting_answers": "Answers that are no labels yet.",
    "slac_waiting_answer_age_seconds": "Age of the oldest of them; 0: there is none.",
    "slac_unscored_window_age_seconds": "Since the oldest videos that nobody has scored were admitted; 0: none wait.",
    "slac_collected_window_age_seconds": "Since videos of some window were admitted last; 0: never.",
    "slac_retryable_drops": "Downloads that were set aside and that a later try may get.",
    "slac_release_age_seconds": "Since the last release; 0: there is none.",
}
"""What each gauge says, by name."""


def exposition(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the text that Prometheus reads, version 0.0.4.

    Args:
        rows: of `sql/queries/gauges.sql`: name, category and value.

    Raises:
        KeyError: a row has a name that is not declared.

    """
    lines: dict[str, list[str]] = {}
    for row in rows:
        # The key of a category is a slug: nothing in it needs an escape.
        label = f'{{category="{row["category"]}"}}' if row["category"] is not None else ""
        # Every digit: of two million answers the next one shows too, and an alert asks whether there was any.
        lines.setdefault(row["name"], []).append(f"{row['name']}{label} {float(row['value']):.17g}")
    found = [
        line
        for name, values in lines.items()
        for line in (f"# HELP {name} {GAUGES[name]}", f"# TYPE {name} gauge", *values)
    ]
    return "\n".join([*found, ""])
