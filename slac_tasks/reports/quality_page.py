"""The data-quality report as a page of its own and as a table of text: no script, nothing to load."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from slac_tasks.reports import people_page

STYLE = """
:root { color-scheme: light dark; --ink: #1d2530; --dim: #5f6b7a; --line: #dfe4ea; --card: #fff; --back: #f5f7f9;
  --accepted: #1f7a4d; --refused: #b3261e; --pending: #8a6100; --bar: #4b74c9; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --dim: #9aa6b5; --line: #323b47; --card: #1b222b;
  --back: #12171d; --accepted: #5cc98f; --refused: #ff8a80; --pending: #e2b04a; --bar: #7ea2ef; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 36px 0 12px; }
.dim { color: var(--dim); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 12px; margin-top: 24px; }
.tile, table { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.tile { padding: 14px 16px; } .tile b { display: block; font-size: 24px; font-variant-numeric: tabular-nums; }
table { width: 100%; border-collapse: separate; border-spacing: 0; overflow: hidden; }
th, td { text-align: left; padding: 10px 14px; vertical-align: top; border-top: 1px solid var(--line); }
tr:first-child th { border-top: 0; color: var(--dim); font-weight: 600; font-size: 13px; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.verdict { font-weight: 600; } .accepted { color: var(--accepted); } .refused { color: var(--refused); }
.pending { color: var(--pending); }
.share { display: grid; grid-template-columns: 104px 120px auto; gap: 10px; align-items: center; font-size: 13px; }
.share span:last-child { font-variant-numeric: tabular-nums; white-space: nowrap; }
ul { margin: 4px 0 0; padding-left: 18px; font-size: 13px; }
"""


def bar(share: float, low: float, high: float) -> str:
    """Draw a share and its interval on a line from 0 to 1."""
    return (
        '<svg width="120" height="14" viewBox="0 0 120 14" role="img" '
        f'aria-label="{share:.0%}, interval {low:.0%} to {high:.0%}">'
        '<rect x="0" y="6" width="120" height="2" fill="var(--line)"/>'
        f'<rect x="{low * 120:.1f}" y="4" width="{max(1.0, (high - low) * 120):.1f}" height="6" rx="3" '
        'fill="var(--bar)" opacity="0.35"/>'
        f'<circle cx="{3 + share * 114:.1f}" cy="7" r="3.5" fill="var(--bar)"/></svg>'
    )


def _shares(rows: Sequence[tuple[str, int, int, float, float]]) -> str:
    return "".join(
        f'<div class="share"><span>{escape(strategy)}</span>{bar(positive / settled, low, high)}'
        f'<span>{positive / settled:.0%} <span class="dim">[{low:.0%}, {high:.0%}] of {settled}</span></span></div>'
        for strategy, positive, settled, low, high in rows
    )


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{share:.0%}"


def _category(record: Mapping[str, Any]) -> str:
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in record["reasons"])
    decision = record["decision"]
    said = (
        f'<div class="dim">{escape(decision["person"])}: {decision["decision"]}, {escape(decision["reason"])}'
        f"{'' if decision['stands'] else ' (the reasons are no longer the same: asked again)'}</div>"
        if decision
        else ""
    )
    return (
        f"<tr><td><b>{escape(record['name'])}</b><div class='dim'>{escape(record['category'])}</div></td>"
        f'<td><span class="verdict {record["verdict"]}">{record["verdict"]}</span>'
        f"{'<ul>' + reasons + '</ul>' if reasons else ''}{said}</td>"
        f'<td class="n">{record["settled"]}</td><td class="n">{record["positive"]}</td>'
        f'<td class="n">{_percent(record["agreement"])}</td><td class="n">{record["unsettled"]}</td>'
        f"<td>{_shares(record['strategies'])}</td></tr>"
    )


def render(
    *,
    version: str,
    records: Sequence[Mapping[str, Any]],
    totals: Sequence[Mapping[str, Any]],
    overall: Sequence[tuple[str, int, int, float, float]],
    statuses: Mapping[str, int],
    people: Sequence[Mapping[str, Any]],
    agreement: Sequence[Mapping[str, Any]],
) -> str:
    """Return the page on one version of the labels."""
    votes, seconds = sum(row["votes"] for row in totals), float(sum(row["seconds"] for row in totals))
    tiles = [
        ("clips queued", f"{sum(row['queued'] for row in totals):,}"),
        ("waiting", f"{sum(row['waiting'] for row in totals):,}"),
        ("answers", f"{votes:,}"),
        ("seconds an answer", f"{seconds / votes:.1f}" if votes else "unknown"),
        ("settled", f"{statuses.get('settled', 0):,}"),
        ("unsettled", f"{statuses.get('unsettled', 0):,}"),
        ("broken", f"{statuses.get('broken', 0):,}"),
    ]
    shown = "".join(f"<div class=tile><b>{value}</b><span class=dim>{name}</span></div>" for name, value in tiles)
    counts = {word: sum(record["verdict"] == word for record in records) for word in ("accepted", "refused", "pending")}
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Labels {escape(version)}: quality</title><style>{STYLE}</style></head><body><main>"
        f"<h1>Quality of labels {escape(version)}</h1>"
        f'<div class="dim">{len(records)} categories: {counts["accepted"]} accepted, {counts["refused"]} refused, '
        f'{counts["pending"]} pending. <a href="rounds.html">Rounds of mining</a></div>'
        f'<div class="tiles">{shown}</div>'
        f'<h2>Positive share by strategy <span class="dim">(95 % Wilson intervals)</span></h2>{_shares(overall)}'
        "<h2>Categories</h2><table><tr><th>category</th><th>verdict</th><th class=n>settled</th>"
        "<th class=n>positive</th><th class=n>agreement</th><th class=n>unsettled</th>"
        "<th>positive share by strategy</th></tr>"
        f"{''.join(_category(record) for record in records)}</table>{people_page.render(people, agreement)}"
        "</main></body></html>\n"
    )


def text(records: Sequence[Mapping[str, Any]]) -> str:
    """Return the verdicts as a table of text."""
    width = max([8, *(len(record["category"]) for record in records)])
    lines = [f"{'category':<{width}}  {'verdict':<8}  settled  positive  agreement  reasons"]
    lines += [
        f"{record['category']:<{width}}  {record['verdict']:<8}  {record['settled']:>7}  {record['positive']:>8}  "
        f"{_percent(record['agreement']):>9}  {'; '.join(record['reasons'])}".rstrip()
        for record in records
    ]
    return "\n".join(lines)
