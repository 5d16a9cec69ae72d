"""One clip on one page: everything that is known of it, and what a lead may rule on it."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import HTMLResponse

from slac_tasks.reports.kinds import Kind
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.media import Media
from slac_tasks.web.pages import Bar
from slac_tasks.web.text import CategoryKey, ClipId

_MEMBERS_MOST = 20
"""Members whose newest scores are looked up."""
_RULINGS_MOST = 50


def routes(oversee: Callable[..., Any], ledgers: Ledgers, media: Media, bar: Bar) -> APIRouter:
    """Return the one route; it answers to leads.

    Args:
        oversee: dependency that returns which lead is logged in: votes name people.
        ledgers: connections to the ledger.
        media: how objects reach browsers, and the store in which rows of the clip are looked up.
        bar: what stands on top of every page.

    """
    router = APIRouter()

    @router.get("/clip", response_class=HTMLResponse)
    def clip(
        request: Request,
        person: Annotated[str, Depends(oversee)],
        category: Annotated[CategoryKey, Query()],
        of: Annotated[ClipId, Query()],
    ) -> HTMLResponse:
        # pyarrow is heavy: the pages start without it.
        from slac_tasks.reports.clip_life import RELEASED_MOST, life

        with ledgers.borrow() as ledger:
            found = ledger.one("web_life", clip_id=of, category=category)
            if found is None:
                raise HTTPException(404, "Nobody is asked about such a clip, or its video was withdrawn.")
            votes = ledger.rows("web_life_votes", clip_id=of, category=category)
            rulings = ledger.rows("web_rulings", clip_id=of, category=category, most=_RULINGS_MOST)
            kinds = [one for one in ledger.all(Kind, "label_kinds") if one.category == category]
            scorers = ledger.rows("web_scorers", category=category, window=found["window"], most=_MEMBERS_MOST)
            release = ledger.one("web_release_of", category=category)
        is_searched = release is not None and release["label_count"] <= RELEASED_MOST
        known = life(
            media.store, clip_id=of, category=category, window=found["window"], round=found["round"],
            weights=[row["weights"] for row in scorers],
            release=release["release"] if release is not None and is_searched else None,
        )  # fmt: skip
        return bar.render(
            "clip.html", request, page="clips", person=person, clip=found, votes=votes, rulings=rulings, life=known,
            certificate=next((one for one in kinds if one.kind == found["kind"]), None), release=release,
            is_searched=is_searched, address=partial(media.address, person=person),
        )  # fmt: skip

    return router
