"""What a reviewer has besides the next clip: an introduction, flags, feedback on known clips, and the own answers."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from slac_tasks.verification.answers import HASTY_SEC
from slac_tasks.verification.settings import Review
from slac_tasks.web.forms import body_of, same_page
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.media import Media
from slac_tasks.web.pages import Bar
from slac_tasks.web.text import CategoryKey, ClipId, plain_lines

ANSWERS_MOST = 120
"""Answers on the page of a person's own, the newest."""
FLAGS_MOST = 200
"""Flags on one page, the newest."""
COMMENT_MOST = 500
"""Letters of a comment."""


class Flag(BaseModel):
    """Something odd about a clip, as the browser sends it; sending it again changes nothing."""

    model_config = ConfigDict(extra="forbid")

    flag_id: UUID
    clip_id: ClipId
    category: CategoryKey
    comment: Annotated[str, Field(max_length=COMMENT_MOST), AfterValidator(plain_lines)]


def routes(
    authenticate: Callable[..., Any],
    oversee: Callable[..., Any],
    ledgers: Ledgers,
    media: Media,
    review: Review,
    bar: Bar,
    *,
    admits: bool,
) -> APIRouter:
    """Return the routes and the two pages.

    Args:
        authenticate: dependency that returns who is logged in.
        oversee: the same for leads, who see what others flagged.
        ledgers: connections to the ledger.
        media: how clips reach browsers.
        review: settings.
        bar: what stands on top of every page.
        admits: see `make_app`.

    """
    router = APIRouter()
    person_dep = Depends(authenticate)
    own_page = [person_dep, Depends(same_page)]

    @router.get("/api/begin")
    def begin(person: Annotated[str, person_dep]) -> dict[str, object]:
        """What the review page needs to know of a person before the first clip."""
        with ledgers.borrow() as ledger:
            if admits:
                ledger.run("ensure_annotator", annotator=person)
            found = ledger.one("is_introduced", annotator=person) or {"introduced": False}
        return {**found, "hasty_sec": HASTY_SEC, "feedback_after": review.feedback_after}

    @router.post("/api/introduced", dependencies=own_page, status_code=204)
    def introduced(person: Annotated[str, person_dep]) -> Response:
        """The person knows what is recorded and who sees it."""
        with ledgers.borrow() as ledger:
            ledger.run("introduce", annotator=person)
        return Response(status_code=204)

    @router.post("/api/flags", dependencies=own_page)
    def flag(person: Annotated[str, person_dep], sent: Annotated[Flag, Depends(body_of(Flag))]) -> dict[str, bool]:
        """Keep a flag on a clip that this person was asked about; a repeated send is harmless."""
        with ledgers.borrow() as ledger:
            kept = ledger.one("add_flag", annotator=person, **sent.model_dump(mode="json"))
        if kept is None:
            raise HTTPException(422, f"{sent.clip_id} ({sent.category}): was never in your hands")
        return {"kept": True}

    @router.post("/api/feedback", dependencies=own_page)
    def feedback(person: Annotated[str, person_dep], category: CategoryKey) -> dict[str, Any]:
        """Close a batch of answers: how many gold clips it held, and those on which an expert said otherwise.

        Nothing is due before `feedback_after` answers, or while none of them is gold. From now on no answer of the
        batch can be corrected, whichever clip it is about: what was told to a person says nothing of the person. Until
        the page says that it has shown a batch, the same one is told again.
        """
        if not review.feedback_after:
            return {"is_due": False}
        of = {"annotator": person, "category": category}
        with ledgers.borrow() as ledger, ledger.transaction():
            # No answer is under way, nor stored before the batch has ended: each is in this batch or in the next one.
            known = ledger.one("lock_reviewer", annotator=person)
            batch = known and ledger.one("add_feedback", **of, answers_least=review.feedback_after)
            if batch is None:
                return {"is_due": False}
            clips = ledger.rows("feedback_clips", **of, began=batch["began"], shown_at=batch["shown_at"])
        shown = [
            {
                **{name: clip[name] for name in ("clip_id", "category", "start_sec", "end_sec", "answer", "known")},
                "media": media.address(clip["proxy_256"], person),
            }
            for clip in clips
            if clip["answer"] != clip["known"]
        ]
        return {"is_due": True, "answers": batch["answers"], "known": len(clips), "differ": shown}

    @router.post("/api/feedback/seen", dependencies=own_page, status_code=204)
    def seen(person: Annotated[str, person_dep], category: CategoryKey) -> Response:
        """The page has shown what it was told of a category."""
        with ledgers.borrow() as ledger:
            ledger.run("see_feedback", annotator=person, category=category)
        return Response(status_code=204)

    @router.get("/history", response_class=HTMLResponse)
    def history(request: Request, person: Annotated[str, person_dep]) -> HTMLResponse:
        with ledgers.borrow() as ledger:
            answers = ledger.rows("web_own_answers", annotator=person, most=ANSWERS_MOST)
        return bar.render(
            "history.html", request, page="review", person=person, answers=answers, most=ANSWERS_MOST,
            address=partial(media.address, person=person),
        )  # fmt: skip

    @router.get("/flags", response_class=HTMLResponse)
    def flags(request: Request, person: Annotated[str, Depends(oversee)]) -> HTMLResponse:
        with ledgers.borrow() as ledger:
            rows = ledger.rows("web_flags", most=FLAGS_MOST)
        address = partial(media.address, person=person)
        return bar.render(
            "flags.html", request, page="quality", person=person, flags=rows, most=FLAGS_MOST, address=address
        )

    return router
