"""What the decision desk sends: a lead's word on a category, on a clip, or on a person's answers.

Each form says what it is about, one word of `WORDS`, and why. A word that changes nothing writes nothing.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import RedirectResponse

from slac_tasks.errors import WrongArguments
from slac_tasks.storage.ledger import Ledger
from slac_tasks.verification import rulings
from slac_tasks.web.forms import field, own_form, read_form
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.text import ANYBODY_MOST
from slac_tasks.web.words import word_of

WORDS = frozenset(
    {"approve", "reject", "settle", "return", "gold", "example", "forget", "ask again", "retire", "restore"}
)
"""What a lead may say: the kinds of `rulings`."""

_REASON_MOST = 500


def routes(oversee: Callable[..., Any], ledgers: Ledgers, *, admits: bool) -> APIRouter:
    """Return the one route; it answers to leads.

    Args:
        oversee: dependency that returns which lead is logged in: the ruling is this person's.
        ledgers: connections to the ledger.
        admits: see `make_app`.

    """
    router = APIRouter()
    lead_dep = Depends(oversee)

    @router.post("/desk", dependencies=[lead_dep, Depends(own_form)])
    def rule(
        person: Annotated[str, lead_dep], form: Annotated[Mapping[str, str], Depends(read_form)]
    ) -> RedirectResponse:
        word = field(form, "say", ANYBODY_MOST)
        if word not in WORDS:
            raise HTTPException(400, f"The field say is none of {', '.join(sorted(WORDS))}.")
        category = field(form, "category", ANYBODY_MOST)
        by = {"person": person, "reason": field(form, "reason", _REASON_MOST)}
        if form.get("back") == "clip":
            back = f"clip?{urlencode({'category': category, 'of': _clip(form)})}"
        else:
            back = "desk" if word == "retire" else f"desk?{urlencode({'of': category})}"
        try:
            with word_of(ledgers, person, admits=admits) as ledger:
                _rule(ledger, word, category, form, by)
        except WrongArguments as refusal:
            raise HTTPException(409, f"{refusal}.") from refusal
        return RedirectResponse(back, status_code=303)

    return router


def _rule(ledger: Ledger, word: str, category: str, form: Mapping[str, str], by: Mapping[str, str]) -> None:
    match word:
        case "approve" | "reject":
            rulings.decide(ledger, category, labels=field(form, "labels", ANYBODY_MOST), decision=word, **by)
        case "retire":
            rulings.retire(ledger, category, **by)
        case "restore":
            rulings.restore(ledger, category, **by)
        case "ask again":
            annotator, day = field(form, "annotator", ANYBODY_MOST), _day(form)
            rulings.ask_person_again(ledger, category, annotator, day=day, **by)
        case "settle":
            rulings.settle(ledger, category, _clip(form), answer=_answer(form), **by)
        case "return":
            rulings.send_back(ledger, category, _clip(form), **by)
        case "forget":
            rulings.forget_known(ledger, category, _clip(form), **by)
        case _:
            rulings.make_known(ledger, category, _clip(form), answer=_answer(form), purpose=word, **by)


def _clip(form: Mapping[str, str]) -> str:
    return field(form, "clip_id", ANYBODY_MOST)


def _answer(form: Mapping[str, str]) -> str:
    answer = field(form, "answer", ANYBODY_MOST)
    if answer not in ("yes", "no"):
        raise HTTPException(400, "The field answer is neither of yes and no.")
    return answer


def _day(form: Mapping[str, str]) -> date:
    try:
        return date.fromisoformat(field(form, "day", ANYBODY_MOST))
    except ValueError:
        raise HTTPException(400, "The field day is no day, want 2026-01-31.") from None
