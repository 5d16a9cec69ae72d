"""What the page `segments` asks for: segments in the hands of the person who is logged in, and a place for answers."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator

from slac_tasks.model import SegmentAnswer
from slac_tasks.storage.ledger import Ledger
from slac_tasks.verification.answers import LONGEST_SEC
from slac_tasks.verification.settings import Segments
from slac_tasks.web.forms import body_of, same_page
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.media import Media
from slac_tasks.web.review import LEFT_MOST, VOTES_MOST, Sweep
from slac_tasks.web.text import CategoryKey, SegmentId

SEGMENTS_MOST = 12
"""Most segments that one call leases."""


class SegmentVote(BaseModel):
    """One answer, as the browser sends it; sending it again changes nothing."""

    model_config = ConfigDict(extra="forbid")

    vote_id: UUID
    segment_id: SegmentId
    answer: SegmentAnswer
    start_sec: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Where the person puts the start, in seconds; only with `moved`."""
    end_sec: float | None = Field(default=None, allow_inf_nan=False)
    seconds: float = Field(ge=0, le=LONGEST_SEC, allow_inf_nan=False)
    guideline_version: int = Field(ge=1, le=2**31 - 1)
    supersedes: UUID | None = None

    @model_validator(mode="after")
    def _has_ends_where_it_moves_them(self) -> "SegmentVote":
        ends = (self.start_sec, self.end_sec)
        if self.answer != SegmentAnswer.MOVED:
            if ends != (None, None):
                raise ValueError(f"ends with the answer {self.answer}, want them with moved alone")
        elif self.start_sec is None or self.end_sec is None or self.start_sec >= self.end_sec:
            raise ValueError(f"ends {ends} with the answer moved, want a start before an end")
        return self


class SegmentVotes(BaseModel):
    """Answers in the order in which they were given."""

    model_config = ConfigDict(extra="forbid")

    votes: list[SegmentVote] = Field(min_length=1, max_length=VOTES_MOST)


@dataclass(frozen=True, kw_only=True)
class HandedSegment:
    """A segment in a person's hands; the columns of lease_segments.sql, lease_segments_again.sql, held_segments.sql."""

    segment_id: str
    category: str
    start_sec: float
    end_sec: float
    duration_sec: float
    fps: float
    proxy_256: str


def _check_asked(ledger: Ledger, person: str, votes: Sequence[SegmentVote]) -> None:
    """Refuse answers that this person was never asked for, and ends outside of the video.

    Raises:
        HTTPException: 422; the message names the segment.

    """
    rows = ledger.rows("web_segments_asked", annotator=person, segment_ids=[vote.segment_id for vote in votes])
    known = {row["segment_id"]: row for row in rows}
    for vote in votes:
        row = known.get(vote.segment_id)
        if row is None:
            continue  # not this person's category: `_cast` stores nothing
        if not row["was_asked"]:
            raise HTTPException(422, f"segment {vote.segment_id}: was never in your hands")
        newest = row["newest_version"]
        if vote.guideline_version > newest:
            found = f"guideline version {vote.guideline_version}"
            raise HTTPException(422, f"segment {vote.segment_id}: {found}, want 1 to {newest}")
        if vote.end_sec is not None and vote.end_sec > row["duration_sec"]:
            found = f"ends at {vote.end_sec:g} s"
            raise HTTPException(422, f"segment {vote.segment_id}: {found}, want {row['duration_sec']:g} s at most")


def _cast(ledger: Ledger, person: str, vote: SegmentVote) -> bool:
    """Store an answer; return whether it is in the ledger, now or since an earlier send."""
    values = vote.model_dump(mode="json")
    if ledger.one("cast_segment_vote", annotator=person, **values) is not None:
        return True
    found = ledger.one("web_segment_vote", vote_id=values["vote_id"], annotator=person)
    return found is not None and all(found[name] == values[name] for name in found)


def routes(
    authenticate: Callable[..., Any], ledgers: Ledgers, media: Media, settings: Segments, *, admits: bool
) -> APIRouter:
    """Return the routes under /api/segments; each answers only to who is logged in; `admits`: see `make_app`."""
    router = APIRouter(prefix="/api/segments")
    person_dep = Depends(authenticate)
    sweep = Sweep()

    @router.get("/me")
    def me(person: Annotated[str, person_dep]) -> dict[str, object]:
        """Who is asking, and the categories that this person may review."""
        with ledgers.borrow() as ledger:
            if admits:
                ledger.run("ensure_annotator", annotator=person)
            categories = ledger.rows("web_segment_categories", annotator=person)
        return {"annotator": person, "categories": categories, "lease_sec": settings.lease_sec}

    @router.get("/category")
    def one_category(person: Annotated[str, person_dep], category: CategoryKey) -> dict[str, object]:
        """A category's guideline, and how far this person is."""
        with ledgers.borrow() as ledger:
            found = ledger.one("web_segment_category", annotator=person, category=category, count_most=LEFT_MOST)
        if found is None:
            raise HTTPException(404, "no such category for you")
        return {**found, "remaining_most": LEFT_MOST}

    @router.get("")
    def segments(
        person: Annotated[str, person_dep],
        category: CategoryKey,
        most: Annotated[int, Query(ge=1, le=SEGMENTS_MOST)] = 6,
        held: bool = False,
    ) -> JSONResponse:
        """Lease segments: first those that this person did not answer in time, then new ones.

        `held`: before both come those in this person's hands, for a page that is opened again. No score, origin, vote
        of others or sign of gold is sent: people answer blind.
        """
        asked = {"annotator": person, "category": category, "lease_sec": settings.lease_sec}
        with ledgers.borrow() as ledger:
            if sweep.is_due():
                ledger.run("expire_segment_leases")
            found = ledger.all(HandedSegment, "held_segments", **asked) if held else []
            if len(found) < most:
                found += ledger.all(HandedSegment, "lease_segments_again", **asked, segments_most=most - len(found))
            if len(found) < most:
                wanted = most - len(found)
                gold = sum(random.random() < settings.gold_share for _ in range(wanted))
                found += ledger.all(HandedSegment, "lease_segments", **asked, segments_most=wanted, gold_most=gold)
        return JSONResponse(
            [
                {
                    "segment_id": one.segment_id, "category": one.category, "start_sec": one.start_sec,
                    "end_sec": one.end_sec, "duration_sec": one.duration_sec, "fps": one.fps,
                    "media": media.address(one.proxy_256, person),
                }
                for one in found
            ]
        )  # fmt: skip

    @router.get("/media")
    def address(person: Annotated[str, person_dep], segment_id: SegmentId) -> dict[str, str]:
        """Make a new address for a segment whose old one has ended."""
        with ledgers.borrow() as ledger:
            found = ledger.one("web_segment", annotator=person, segment_id=segment_id)
        if found is None:
            raise HTTPException(404, "this segment is not in your hands")
        return {"media": media.address(found["proxy_256"], person)}

    @router.post("/votes", dependencies=[person_dep, Depends(same_page)])
    def vote(
        person: Annotated[str, person_dep], sent: Annotated[SegmentVotes, Depends(body_of(SegmentVotes))]
    ) -> JSONResponse:
        """Store answers, all in one transaction; a repeated send is harmless.

        Says of each whether it is in the ledger. One that is not never will be: the video was withdrawn, the segment
        was answered already by this person, or the category is not this person's to review. An answer that nobody asked
        this person for, and ends outside of the video, are refused, and the others of the call with them.
        """
        # In one order for everybody, so that two people who answer the same segments at once do not block each other.
        ordered = sorted(sent.votes, key=lambda vote: vote.segment_id)
        with ledgers.borrow() as ledger:
            _check_asked(ledger, person, ordered)
            with ledger.transaction():
                stored = [_cast(ledger, person, vote) for vote in ordered]
        return JSONResponse({"stored": {str(vote.vote_id): done for vote, done in zip(ordered, stored, strict=True)}})

    return router
