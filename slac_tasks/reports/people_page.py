"""The part of the data-quality report that is about people: how good their answers are, and how far they agree."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

Row = Mapping[str, Any]


def _interval(row: Row, name: str) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return f"<td class=n>{row[name]:.2f} <span class=dim>[{low:.2f}, {high:.2f}]</span></td>"


def _person(row: Row, categories: Sequence[Row]) -> str:
    gold = f"{row['gold_right']} of {row['gold']}" if row["gold"] else ""
    drift = "" if row["drift"] is None else f"{row['drift']:+.2f}"
    # The category in which the person is worst, by what is certain.
    worst = min(categories, key=lambda found: found["sensitivity_high"] + found["specificity_high"], default=None)
    return (
        f"<tr><td><b>{escape(row['annotator'])}</b></td><td class=n>{row['answers']:,}</td>"
        f"{_interval(row, 'sensitivity')}{_interval(row, 'specificity')}<td class=n>{gold}</td>"
        f"<td class=n>{row['seconds']:.1f}</td><td class=n>{drift}</td>"
        f"<td>{escape(worst['category']) if worst else ''}</td><td>{escape(', '.join(row['flags']))}</td></tr>"
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def render(people: Sequence[Row], agreement: Sequence[Row]) -> str:
    """Return two tables of HTML; empty where nobody was judged yet.

    Args:
        people: rows of the dataset `people`.
        agreement: rows of the dataset `agreement`.

    """
    if not people:
        return ""
    overall = [row for row in people if row["category"] is None]
    by_person: dict[str, list[Row]] = {}
    for row in people:
        if row["category"] is not None:
            by_person.setdefault(row["annotator"], []).append(row)
    persons = "".join(
        _person(row, by_person.get(row["annotator"], []))
        for row in sorted(overall, key=lambda row: (not row["flags"], row["annotator"]))
    )
    agreed = "".join(
        f"<tr><td>{escape(row['category'])}</td><td class=n>{row['clips']:,}</td>"
        f"<td class=n>{_number(row['krippendorff'])}</td><td class=n>{_number(row['cohen'])}</td>"
        f"<td class=n>{row['pairs']:,}</td></tr>"
        for row in agreement
    )
    return (
        '<h2>People <span class="dim">(95 % credible intervals; a flag deletes nothing)</span></h2><table><tr>'
        "<th>person</th><th class=n>answers</th><th class=n>yes to the action</th><th class=n>no to the rest</th>"
        "<th class=n>gold</th><th class=n>seconds</th><th class=n>drift</th><th>weakest</th><th>flags</th></tr>"
        f"{persons}</table><h2>Agreement beyond chance</h2><table><tr><th>category</th>"
        "<th class=n>clips answered twice</th><th class=n>Krippendorff's alpha</th><th class=n>Cohen's kappa</th>"
        f"<th class=n>pairs of people</th></tr>{agreed}</table>"
    )
