"""What the review page asks for: the next clips of the person who is logged in, and a place for the answers."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field

from slac_tasks.config import Review
from slac_tasks.database import Ledger
from slac_tasks.errors import BrokenContract
from slac_tasks.model import Answer
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.media import Media

CLIPS_MOST = 12
"""Most clips that one call leases: more would only lie in somebody's hands."""


class Vote(BaseModel):
    """One answer, as the browser sends it; sending it again changes nothing."""

    model_config = ConfigDict(extra="forbid")

    vote_id: UUID
    clip_id: str = Field(max_length=64)
    category: str = Field(max_length=80)
    answer: Answer
    seconds: float = Field(ge=0, le=86_400, allow_inf_nan=False)
    guideline_version: int = Field(ge=1, le=2**31 - 1)
    supersedes: UUID | None = None


def _same_page(x_requested_with: Annotated[str, Header()] = "") -> None:
    """Refuse a vote that another site's form sends with this person's cookie: a form cannot set this header."""
    if x_requested_with != "slac":
        raise HTTPException(403, "want the header X-Requested-With: slac")


def _admit(ledger: Ledger, person: str) -> None:
    """Make a new person known; refuse one who was set inactive."""
    found = ledger.one("web_active", annotator=person)
    if found is None:
        ledger.run("ensure_annotator", annotator=person)
    elif not found["active"]:
        raise HTTPException(403, "this account answers no more clips")


def routes(authenticate: Callable[..., Any], ledgers: Ledgers, media: Media, review: Review) -> APIRouter:
    """Return the routes under /api; each answers only to somebody who is logged in."""
    router = APIRouter(prefix="/api")
    person_dep = Depends(authenticate)

    @router.get("/me")
    def me(person: Annotated[str, person_dep]) -> dict[str, Any]:
        """Who is asking, today's work and pace, and every category with what is left in it."""
        with ledgers.borrow() as ledger:
            _admit(ledger, person)
            pace = ledger.one("web_pace", annotator=person) or {}
            categories = ledger.rows("web_categories", annotator=person)
        return {"annotator": person, **pace, "categories": categories, "lease_sec": review.lease_sec}

    @router.get("/clips")
    def clips(
        person: Annotated[str, person_dep],
        category: Annotated[str | None, Query(max_length=80)] = None,
        most: Annotated[int, Query(ge=1, le=CLIPS_MOST)] = 6,
    ) -> list[dict[str, Any]]:
        """Lease the next clips: those already in the person's hands first, then new ones."""
        with ledgers.borrow() as ledger:
            _admit(ledger, person)
            leased = ledger.rows(
                "lease_clips", annotator=person, category=category, clips_most=most, lease_sec=review.lease_sec
            )
        # No strategy, score or vote of others is sent: people answer blind.
        return [
            {
                **{key: clip[key] for key in ("clip_id", "category", "start_sec", "end_sec")},
                "media": media.address(clip["proxy_256"], person),
            }
            for clip in leased
        ]

    @router.get("/media")
    def address(
        person: Annotated[str, person_dep],
        clip_id: Annotated[str, Query(max_length=64)],
        category: Annotated[str, Query(max_length=80)],
    ) -> dict[str, str]:
        """Make a new address for a clip whose old one has ended."""
        with ledgers.borrow() as ledger:
            clip = ledger.one("web_clip", annotator=person, clip_id=clip_id, category=category)
        if clip is None:
            raise HTTPException(404, "this clip is not in your hands")
        return {"media": media.address(clip["proxy_256"], person)}

    @router.post("/votes", dependencies=[Depends(_same_page)])
    def vote(person: Annotated[str, person_dep], vote: Vote) -> dict[str, bool]:
        """Store an answer; a repeated send is harmless. Says whether the vote is in the ledger."""
        values = vote.model_dump(mode="json")
        with ledgers.borrow() as ledger:
            _admit(ledger, person)
            try:
                stored = ledger.one("cast_vote", annotator=person, **values) is not None
            except BrokenContract:
                # The ledger has closed the failed statement; whether the vote is there is asked on its own.
                stored = False
            if not stored:
                found = ledger.one("web_vote", vote_id=values["vote_id"], annotator=person)
                stored = found is not None and found["answer"] == vote.answer and found["clip_id"] == vote.clip_id
        if not stored:
            raise HTTPException(409, "this answer does not count: the clip was withdrawn, or was answered already")
        return {"stored": True}

    return router
