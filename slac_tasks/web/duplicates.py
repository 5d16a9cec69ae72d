"""What the page of look-alikes sends: that two videos differ, or that they are the same after all."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import RedirectResponse

from slac_tasks.admission.told_apart import tell_apart, tell_same
from slac_tasks.web.forms import field, own_form, read_form
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.words import word_of

_NAME_MOST = 64
_REASON_MOST = 500
_WORDS = ("differ", "same")


def routes(oversee: Callable[..., Any], ledgers: Ledgers, *, admits: bool) -> APIRouter:
    """Return the one route; it answers to leads.

    Args:
        oversee: dependency that returns which lead is logged in.
        ledgers: connections to the ledger.
        admits: see `make_app`.

    """
    router = APIRouter()
    lead_dep = Depends(oversee)

    @router.post("/duplicates", dependencies=[lead_dep, Depends(own_form)])
    def say(
        person: Annotated[str, lead_dep], form: Annotated[Mapping[str, str], Depends(read_form)]
    ) -> RedirectResponse:
        word = field(form, "say", _NAME_MOST)
        if word not in _WORDS:
            raise HTTPException(400, f"The field say is neither of {' and '.join(_WORDS)}.")
        pair = field(form, "video_id", _NAME_MOST), field(form, "other_id", _NAME_MOST)
        reason = field(form, "reason", _REASON_MOST) if word == "differ" else ""
        with word_of(ledgers, person, admits=admits) as ledger:
            if word == "differ":
                done = tell_apart(ledger, *pair, person=person, reason=reason)
            else:
                done = tell_same(ledger, *pair)
        if not done:
            raise HTTPException(
                404, "There is no such pair any more: the video was admitted meanwhile, or one was withdrawn."
            )
        return RedirectResponse("duplicates", status_code=303)

    return router
