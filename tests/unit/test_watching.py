"""Alerts, dashboard and runbook speak of gauges that exist, and each alert leads to its entry."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from slac_tasks.reports.gauges import GAUGES, exposition
from slac_tasks.storage.ledger import Ledger, query

ROOT = Path(__file__).resolve().parents[2]
WATCH = ROOT / "docker" / "watch"
SENT = {"slac_command_duration_seconds_bucket", "slac_command", "slac_rows_total"}
"""What OpenTelemetry's own names become in Prometheus."""


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load((WATCH / "alerts.yaml").read_text())["groups"] for rule in group["rules"]]


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(), flags=re.M)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_each_alert_leads_to_its_entry_of_the_runbook() -> None:
    assert len({rule["alert"] for rule in alerts()}) == len(alerts())
    for rule in alerts():
        path, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert anchor == rule["alert"].lower()
        assert anchor in anchors(ROOT / path), rule["alert"]
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_alerts_and_dashboard_speak_of_gauges_that_exist() -> None:
    panels = json.loads((WATCH / "dashboard.json").read_text())["panels"]
    expressions = [rule["expr"] for rule in alerts()] + [one["expr"] for panel in panels for one in panel["targets"]]
    named = {name for text in expressions for name in re.findall(r"slac_\w+", text)}
    assert named - SENT <= set(GAUGES)
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_the_query_fills_the_declared_gauges_and_no_other() -> None:
    assert set(re.findall(r"'(slac_\w+)'", query("gauges"))) == set(GAUGES)


def test_the_text_is_what_prometheus_reads(ledger: Ledger) -> None:
    ledger.run("register_category", category="judo", name="judo", guideline=None)
    text = exposition(ledger.rows("gauges"))
    assert text.endswith("\n")
    lines = text.splitlines()
    assert "slac_categories 1" in lines
    assert "slac_waiting_answer_age_seconds 0" in lines
    for line in lines:
        assert re.fullmatch(r'# (HELP|TYPE) slac_\w+ .+|slac_\w+(\{category="\w+"\})? [-+.e0-9]+', line), line
    with pytest.raises(KeyError):
        exposition([{"name": "slac_unknown", "category": None, "value": 1}])
