"""The rounds of mining as a page of its own, beside the report; the web pages show the same."""

from slac_tasks.reports.html import document
from slac_tasks.reports.trends import Trends


def page(trends: Trends) -> str:
    """Return the page on the rounds of one version of the labels, and on each category's account."""
    return document("rounds_report.html", trends=trends)
