"""The page of the expectations: what the newest inspections found, drawn from the docs in the store, for leads."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse

from slac_tasks.errors import NotMade
from slac_tasks.reports.data_docs import FOLDER, Docs, file
from slac_tasks.storage.store import Store
from slac_tasks.web.pages import Bar


def routes(oversee: Callable[..., Any], store: Store, bar: Bar) -> APIRouter:
    """Return the page of all datasets, and of one.

    Args:
        oversee: dependency that returns which lead is logged in: the docs name people.
        store: where the docs lie.
        bar: what stands on top of every page.

    """
    router = APIRouter()

    @router.get("/expectations", response_class=HTMLResponse)
    def expectations(request: Request, person: Annotated[str, Depends(oversee)], of: str = "") -> HTMLResponse:
        names = [name for name in store.names(f"{FOLDER}/") if name.endswith(".json")]
        if of and file(of) not in names:
            raise HTTPException(404, "nothing was judged of this dataset")
        docs = _read(store, file(of)) if of else None
        every = [] if of else [one for one in (_read(store, name) for name in names) if one]
        return bar.render("handovers.html", request, page="quality", person=person, docs=docs, every=every)

    return router


def _read(store: Store, name: str) -> Docs | None:
    try:
        return Docs.decode(store.get(name), name)
    except NotMade:
        return None
