"""Links from a task instance to the page of the service that shows what it made.

They lead to where Airflow's nav leads. Where the nav has no such pages, a task has no link.
"""

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import attrs
from airflow.configuration import conf
from airflow.sdk import BaseOperatorLink
from slac_command import merge, variable

MOUNTED = "/slac"
"""Where Airflow itself serves the pages, when it does."""


def is_mounted(environ: Mapping[str, str]) -> bool:
    """Return whether Airflow itself serves the pages: it has what they need, and no service is named."""
    return not _service(environ) and bool(variable("SLAC_STORE", environ) and variable("SLAC_DATABASE_URL", environ))


def address(environ: Mapping[str, str]) -> str | None:
    """Return where the pages are, without a slash at the end; None: nowhere."""
    mounted = conf.get("api", "base_url", fallback="").rstrip("/") + MOUNTED if is_mounted(environ) else None
    return _service(environ) or mounted


def _service(environ: Mapping[str, str]) -> str:
    return variable("SLAC_WEB_URL", environ).rstrip("/")


@attrs.define()
class PageLink(BaseOperatorLink):
    """The link of one task to one page."""

    title: str
    page: str
    asks: str = ""
    """Name that the page has for a category, where its address holds the task's."""

    @property
    def name(self) -> str:
        """What the button says."""
        return self.title

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the address of the page; of a release, its place on the page. Called when the task has ended."""
        # A mapped task that failed before it had an item is no instance of its class.
        base, item = address(os.environ), merge(getattr(operator, "item", None) or ())
        if not base:
            return ""
        # A task of several categories leads to the first one.
        query = "".join(f"?{self.asks}={quote(one)}" for one in item.get("category", [])[:1]) if self.asks else ""
        release = item.get("release", []) if self.page == "releases" else []
        return f"{base}/{self.page}{query}" + "".join(f"#{one}" for one in release)


LINKS: Mapping[str, PageLink] = {
    "mine": PageLink(title="Clips", page="clips", asks="category"),
    "publish": PageLink(title="Clips", page="clips", asks="category"),
    "map": PageLink(title="Map", page="map", asks="category"),
    "aggregate": PageLink(title="Clips", page="clips"),
    "inspect": PageLink(title="What was expected", page="expectations"),
    "judge": PageLink(title="Quality", page="quality"),
    "validate": PageLink(title="Quality", page="quality"),
    "report": PageLink(title="Report", page="reports"),
    "approve": PageLink(title="Decision desk", page="desk", asks="of"),
    "carry": PageLink(title="Funnel", page="funnel"),
    "certify": PageLink(title="Funnel", page="funnel"),
    "release": PageLink(title="Release", page="releases"),
    "evaluate": PageLink(title="Release", page="releases"),
    "promote": PageLink(title="Release", page="releases"),
}
"""The link of a stage's task."""


def links(operator: Any) -> tuple[PageLink, ...]:
    """Return the links of a stage's task; Airflow asks this of a mapped task too, which is no instance of its class."""
    stage = operator.partial_kwargs["stage"] if hasattr(operator, "partial_kwargs") else operator.stage
    return (LINKS[stage],) if stage in LINKS and address(os.environ) else ()
