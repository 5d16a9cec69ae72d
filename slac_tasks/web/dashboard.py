"""The parts of the dashboard beside the page of all categories: one category, the rounds and the people; for leads."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse

from slac_tasks.reports import trends
from slac_tasks.reports.categories import Standing, categories
from slac_tasks.reports.history import Measured, charts
from slac_tasks.reports.kinds import Kind, worths
from slac_tasks.reports.measures import Judged, by_category
from slac_tasks.storage.store import Store
from slac_tasks.verification.answers import HASTY_SEC
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.pages import Bar

VERSIONS_MOST = 100
"""Versions on one page, the newest."""


def routes(oversee: Callable[..., Any], ledgers: Ledgers, store: Store, bar: Bar) -> APIRouter:
    """Return the pages.

    Args:
        oversee: dependency that returns which lead is logged in: decisions and numbers name people.
        ledgers: connections to the ledger.
        store: where the trends of the newest report lie.
        bar: what stands on top of every page.

    """
    router = APIRouter()
    lead_dep = Depends(oversee)

    show = partial(bar.render, page="quality")

    @router.get("/category", response_class=HTMLResponse)
    def category(request: Request, person: Annotated[str, lead_dep], of: str) -> HTMLResponse:
        with ledgers.borrow() as ledger:
            standing = [one for one in ledger.all(Standing, "web_quality") if one.category == of]
            if not standing:
                raise HTTPException(404, "no such category is registered")
            measures = ledger.all(Judged, "web_measures", category=of)
            history = ledger.all(Measured, "web_history", category=of, most=VERSIONS_MOST)
            kinds = [kind for kind in ledger.all(Kind, "label_kinds") if kind.category == of]
        (found,) = categories(standing, by_category(measures))
        return show("category.html", request, person=person, one=found, charts=charts(history), worths=worths(kinds))

    @router.get("/people", response_class=HTMLResponse)
    def people(request: Request, person: Annotated[str, lead_dep]) -> HTMLResponse:
        found = trends.read(store)
        with ledgers.borrow() as ledger:
            rows, agreement = ledger.rows("web_people", hasty_sec=HASTY_SEC), ledger.rows("web_agreement")
        paces = {one.person: one for one in found.paces} if found else {}
        over_days = found.over_days if found else ()
        return show(
            "people_page.html", request, person=person, people=rows, agreement=agreement, paces=paces, charts=over_days
        )

    @router.get("/rounds", response_class=HTMLResponse)
    def rounds(request: Request, person: Annotated[str, lead_dep]) -> HTMLResponse:
        return show("rounds.html", request, person=person, trends=trends.read(store))

    return router
