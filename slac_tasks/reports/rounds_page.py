"""The rounds of mining as a page of its own: no script, nothing to load. Its numbers are those of `rounds`."""

from html import escape
from typing import Any

import pandas as pd

from slac_tasks.reports.quality_page import STYLE, bar
from slac_tasks.reports.rounds import BINS

SHOWN = 12
"""Newest rounds shown; the dataset holds all of them."""

_CHARTS = """
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 16px; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; }
figcaption { font-size: 13px; margin-bottom: 6px; } figure svg { width: 100%; height: auto; display: block; }
h3 { font-size: 15px; margin: 20px 0 8px; }
"""
_W, _H = 160, 90


def render(version: str, found: pd.DataFrame) -> str:
    """Return the page on the rows of `rounds` of one version of the labels."""
    rounds = sorted(found["round"].dropna().unique(), reverse=True)
    whole = found[found["round"].isna() & found["category"].isna()]
    sections = [_section("All rounds", whole)]
    sections += [_section(f"Round {name}", found[found["round"] == name]) for name in rounds[:SHOWN]]
    more = f"; the newest {SHOWN} are shown, <code>slac show rounds</code> has all" if len(rounds) > SHOWN else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Labels {escape(version)}: rounds</title><style>{STYLE}{_CHARTS}</style></head><body><main>"
        f'<h1>Rounds of mining, labels {escape(version)}</h1><div class="dim">{len(rounds)} rounds{more}. Brackets are '
        "95 % intervals. The committee is judged on the random control alone. "
        '<a href="index.html">Quality of the labels</a></div>'
        f"{''.join(sections)}{_categories(found)}</main></body></html>\n"
    )


def _section(title: str, rows: pd.DataFrame) -> str:
    parts = [_strategies(rows), _agreement(rows), _reliability(rows), _histograms(rows)]
    return f"<h2>{escape(title)}</h2>{''.join(parts) or '<p class=dim>No settled labels yet.</p>'}"


def _strategies(rows: pd.DataFrame) -> str:
    """What each strategy found, and what a minute of people's time bought with it."""
    by = {(row["measure"], row["strategy"]): row for row in rows[rows["member"].isna()].to_dict("records")}
    names = [strategy for measure, strategy in by if measure == "positive_share"]
    if not names:
        return ""
    lines = []
    for name in names:
        share = by["positive_share", name]
        lines.append(
            f"<tr><td><b>{escape(str(name))}</b></td><td class=n>{share['count']:,}</td>"
            f'<td><div class="share"><span>{share["value"]:.0%}</span>'
            f"{bar(share['value'], share['low'], share['high'])}"
            f"<span class=dim>[{share['low']:.0%}, {share['high']:.0%}]</span></div></td>"
            f"<td class=n>{_value(by.get(('positives_per_minute', name)))}</td>"
            f"<td class=n>{_value(by.get(('lift_over_random', name)))}</td></tr>"
        )
    return (
        "<table><tr><th>strategy</th><th class=n>settled</th><th>positive share</th><th class=n>positives a minute</th>"
        f"<th class=n>lift over random, per minute</th></tr>{''.join(lines)}</table>"
    )


def _value(row: dict[Any, Any] | None) -> str:
    if row is None:
        return '<span class="dim">-</span>'
    return f'{row["value"]:.2f} <span class="dim">[{row["low"]:.2f}, {row["high"]:.2f}]</span>'


def _agreement(rows: pd.DataFrame) -> str:
    """How often two members say the same, and how much of that is not chance."""
    kappa = {(row["member"], row["other"]): row["value"] for row in _of(rows, "kappa")}
    lines = [
        f"<tr><td>{escape(row['member'])} and {escape(row['other'])}</td><td class=n>{row['count']:,}</td>"
        f"<td class=n>{_value(row)}</td><td class=n>{_plain(kappa.get((row['member'], row['other'])))}</td></tr>"
        for row in _of(rows, "agreement")
    ]
    head = "<tr><th>members</th><th class=n>clips</th><th class=n>same verdict</th><th class=n>kappa</th></tr>"
    return f"<h3>Agreement between members</h3><table>{head}{''.join(lines)}</table>" if lines else ""


def _plain(value: float | None) -> str:
    return "-" if value is None or pd.isna(value) else f"{value:.2f}"


def _reliability(rows: pd.DataFrame) -> str:
    """For each member the share of yes in each tenth of its score; on the diagonal the score is a probability."""
    figures = []
    for error in _of(rows, "calibration_error"):
        marks = "".join(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_H * (1 - row["high"]):.1f}" y2="{_H * (1 - row["low"]):.1f}" '
            f'stroke="var(--bar)" opacity="0.35" stroke-width="6"/>'
            f'<circle cx="{x:.1f}" cy="{_H * (1 - row["value"]):.1f}" r="3" fill="var(--bar)"/>'
            for row in _of(rows, "reliability")
            if row["member"] == error["member"]
            for x in [(row["bin"] + 0.5 / BINS) * _W]
        )
        title = f"{escape(error['member'])}: calibration error {error['value']:.3f} of {error['count']:,} clips"
        diagonal = f'<line x1="0" y1="{_H}" x2="{_W}" y2="0" stroke="var(--line)"/>'
        figures.append(_figure(title, diagonal + marks))
    return f'<h3>Calibration</h3><div class="charts">{"".join(figures)}</div>' if figures else ""


def _histograms(rows: pd.DataFrame) -> str:
    """How the scores of each member are spread over the clips of each strategy."""
    scores = rows[rows["measure"] == "scores"]
    figures = []
    for (member, strategy), part in scores.groupby(["member", "strategy"]):
        top = max(1e-9, float(part["value"].max()))
        bars = "".join(
            f'<rect x="{row["bin"] * _W + 1:.1f}" y="{_H * (1 - row["value"] / top):.1f}" width="{_W / BINS - 2:.1f}" '
            f'height="{_H * row["value"] / top:.1f}" fill="var(--bar)"/>'
            for row in part.to_dict("records")
        )
        title = f"{escape(str(member))}, {escape(str(strategy))}: {int(part['count'].sum()):,} clips"
        figures.append(_figure(title, bars))
    return f'<h3>Scores, 0 to 1</h3><div class="charts">{"".join(figures)}</div>' if figures else ""


def _figure(title: str, drawing: str) -> str:
    return (
        f'<figure><figcaption>{title}</figcaption><svg viewBox="-4 -4 {_W + 8} {_H + 8}" role="img" '
        f'aria-label="{title}">{drawing}<line x1="0" y1="{_H}" x2="{_W}" y2="{_H}" stroke="var(--line)"/></svg>'
        "</figure>"
    )


def _categories(found: pd.DataFrame) -> str:
    """The positive share of every category and strategy, over all rounds."""
    rows = found[found["category"].notna() & (found["measure"] == "positive_share")]
    lines = []
    for category, part in rows.groupby("category"):
        shares = "".join(
            f'<div class="share"><span>{escape(row["strategy"])}</span>{bar(row["value"], row["low"], row["high"])}'
            f'<span>{row["value"]:.0%} <span class="dim">[{row["low"]:.0%}, {row["high"]:.0%}] of {row["count"]:,}'
            "</span></span></div>"
            for row in part.to_dict("records")
        )
        lines.append(f"<tr><td>{escape(str(category))}</td><td>{shares}</td></tr>")
    head = "<tr><th>category</th><th>positive share by strategy, all rounds</th></tr>"
    return f"<h2>Categories</h2><table>{head}{''.join(lines)}</table>" if lines else ""


def _of(rows: pd.DataFrame, measure: str) -> list[dict[Any, Any]]:
    return rows[rows["measure"] == measure].to_dict("records")
