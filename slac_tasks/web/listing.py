"""The pages of the service, as data: routes, the bar on top, logins and Airflow's nav derive from `PAGES`.

To add a page: its entry here, and its template `templates/<name>.html`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slac_tasks.admission.told_apart import lookalike_pairs
from slac_tasks.model import PAPER_CLIP_SEC
from slac_tasks.reports.categories import Standing, categories, verdicts
from slac_tasks.reports.funnel import METRICS, Facts
from slac_tasks.reports.kinds import Kind, worths
from slac_tasks.reports.measures import Judged, by_category
from slac_tasks.web import clip_list
from slac_tasks.web.desk_values import desk_values

if TYPE_CHECKING:
    from slac_tasks.storage.ledger import Ledger


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page: its address and its template have its name."""

    name: str
    for_leads: bool
    """Says names and numbers of people: reviewers may not open it."""
    values: Callable[["Ledger", Mapping[str, str]], Mapping[str, object]] | None
    """Reads from the ledger what its template shows, for the query of its address; None: the page asks by itself."""

    @property
    def title(self) -> str:
        """What the bar and Airflow's nav call it."""
        return self.name.capitalize()


def _funnel(ledger: "Ledger", _: Mapping[str, str]) -> Mapping[str, object]:
    (facts,) = ledger.all(Facts, "funnel")
    return {
        "facts": facts,
        "metrics": METRICS,
        "paper_sec": PAPER_CLIP_SEC,
        "releases": ledger.rows("web_releases", most=RELEASES_MOST),
        "rows": ledger.rows("web_funnel"),
        "worths": worths(ledger.all(Kind, "label_kinds"))[:1],
    }


def _quality(ledger: "Ledger", _: Mapping[str, str]) -> Mapping[str, object]:
    found = categories(
        ledger.all(Standing, "web_quality"), by_category(ledger.all(Judged, "web_measures", category=None))
    )
    return {"categories": found, "counts": verdicts(found), "worths": worths(ledger.all(Kind, "label_kinds"))}


RELEASES_MOST = 20
"""Releases on one page, the newest."""


def _releases(ledger: "Ledger", _: Mapping[str, str]) -> Mapping[str, object]:
    return {"releases": ledger.rows("web_releases", most=RELEASES_MOST)}


PAIRS_MOST = 100
"""Pairs of look-alikes on one page."""


def _duplicates(ledger: "Ledger", _: Mapping[str, str]) -> Mapping[str, object]:
    return {"pairs": lookalike_pairs(ledger, most=PAIRS_MOST), "most": PAIRS_MOST}


PAGES: Mapping[str, Page] = {
    page.name: page
    for page in (
        Page(name="review", for_leads=False, values=None),
        Page(name="segments", for_leads=False, values=None),
        Page(name="clips", for_leads=True, values=clip_list.page),
        Page(name="desk", for_leads=True, values=desk_values),
        Page(name="funnel", for_leads=True, values=_funnel),
        Page(name="quality", for_leads=True, values=_quality),
        Page(name="releases", for_leads=True, values=_releases),
        Page(name="duplicates", for_leads=True, values=_duplicates),
    )
}
"""Every page by name, in the order of the bar; the first is where a login leads."""

HOME = next(iter(PAGES))

PARTS = ("category", "people", "rounds", "expectations", "flags", "history", "clip", "map", "reports")
"""Parts of the dashboard beside the pages, and a reviewer's own answers: they have no place in the bar."""
_QUERY_MOST = 400
ADDRESS_MOST = max(map(len, (*PAGES, *PARTS))) + 1 + _QUERY_MOST
"""Letters of the address of a page to which a login leads."""
_ADDRESS = re.compile(rf"({'|'.join((*PAGES, *PARTS))})(\?[\w%.=&+-]{{1,{_QUERY_MOST}}})?", re.ASCII)


def destination(address: str) -> str:
    """Return where a login leads that was asked for at `address`: there, if it is a page of ours, else home."""
    return address if _ADDRESS.fullmatch(address) else HOME


def open_to(*, lead: bool) -> list[Page]:
    """Return the pages that a lead, or a reviewer, may open."""
    return [page for page in PAGES.values() if lead or not page.for_leads]
