"""The reports in the store as parts of the dashboard: each version's report and its rounds, for leads.

They are whole pages with a style of their own and nothing to load. So nothing may run in them, and nothing loads.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from slac_tasks.errors import NotMade
from slac_tasks.storage.store import Store
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.pages import Bar

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""What a report may do: show itself."""
_FILES = {"index.html": "text/html", "rounds.html": "text/html", "measures.csv": "text/csv"}
_LABELS = re.compile("[0-9]{6,12}", re.ASCII)
_MOST = 50
"""Versions on one page, the newest."""


def routes(oversee: Callable[..., Any], ledgers: Ledgers, store: Store, bar: Bar, framed_by: str) -> APIRouter:
    """Return the list of the reports, and the reports.

    Args:
        oversee: dependency that returns which lead is logged in: reports name people.
        ledgers: connections to the ledger, which knows the judged versions: the store is not listed.
        store: where the reports lie.
        bar: what stands on top of the list.
        framed_by: directive of the policy that says who may show pages in a frame.

    """
    router = APIRouter()
    lead_dep = Depends(oversee)

    @router.get("/reports", response_class=HTMLResponse)
    def reports(request: Request, person: Annotated[str, lead_dep]) -> HTMLResponse:
        with ledgers.borrow() as ledger:
            versions = ledger.rows("judged_versions", most=_MOST)
        return bar.render("reports.html", request, page="quality", person=person, versions=versions)

    @router.get("/reports/{labels}/{file}")
    def report(labels: str, file: str, person: Annotated[str, lead_dep]) -> Response:
        if file not in _FILES or not _LABELS.fullmatch(labels):
            raise HTTPException(404, "There is no such report.")
        try:
            found = store.get(f"reports/v1/labels={labels}/{file}")
        except NotMade:
            raise HTTPException(
                404, f"There is no report on labels {labels} any more. The DAG check_labels writes one on the newest."
            ) from None
        headers = {"Content-Security-Policy": f"{POLICY}; {framed_by}"}
        return Response(found, media_type=_FILES[file], headers=headers)

    return router
