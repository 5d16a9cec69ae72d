"""What the review page asks for: the next clips of the person who is logged in, and a place for the answers."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from slac_tasks.model import Answer
from slac_tasks.storage.ledger import Ledger
from slac_tasks.verification.answers import LONGEST_SEC
from slac_tasks.verification.sets import SET_LEAST, SET_MOST
from slac_tasks.verification.settings import Review
from slac_tasks.web.forms import body_of, same_page
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.media import Media
from slac_tasks.web.text import CategoryKey, ClipId

CLIPS_MOST = 24
"""Most clips that one call leases: more would only lie in somebody's hands."""
VOTES_MOST = 50
"""Most answers in one call."""
LEFT_MOST = 1000
"""A queue longer than this is not counted: the page says `1,000+`."""
EXAMPLES_MOST = 3
"""Examples of each answer beside the guideline."""
SWEEP_SEC = 5.0
"""How often one process takes back clips that were not answered in time."""


class Vote(BaseModel):
    """One answer, as the browser sends it; sending it again changes nothing."""

    model_config = ConfigDict(extra="forbid")

    vote_id: UUID
    clip_id: ClipId
    category: CategoryKey
    answer: Answer
    seconds: float = Field(ge=0, le=LONGEST_SEC, allow_inf_nan=False)
    guideline_version: int = Field(ge=1, le=2**31 - 1)
    supersedes: UUID | None = None
    set_id: UUID | None = None
    """The set in which the clip was answered together with others; None: it was answered alone."""


class Votes(BaseModel):
    """Answers in the order in which they were given."""

    model_config = ConfigDict(extra="forbid")

    votes: list[Vote] = Field(min_length=1, max_length=VOTES_MOST)


class Sweep:
    """Says when this process should take back what was not answered in time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 0.0

    def is_due(self) -> bool:
        """Return whether it should now; every other caller waits for the next time."""
        with self._lock:
            now = time.monotonic()
            if now < self._next:
                return False
            self._next = now + SWEEP_SEC
            return True


def _check_asked(ledger: Ledger, person: str, votes: Sequence[Vote]) -> None:
    """Refuse answers that this person was never asked for.

    Raises:
        HTTPException: 422; the message names the clip.

    """
    known = {
        (row["clip_id"], row["category"]): row
        for row in ledger.rows(
            "web_asked",
            annotator=person,
            clip_ids=[vote.clip_id for vote in votes],
            categories=[vote.category for vote in votes],
        )
    }
    for vote in votes:
        row = known.get((vote.clip_id, vote.category))
        if row is None:
            continue  # not this person's category: `_cast` stores nothing
        if not row["was_asked"]:
            raise HTTPException(422, f"{vote.clip_id} ({vote.category}): was never in your hands")
        if vote.guideline_version > row["newest_version"]:
            raise HTTPException(
                422,
                f"{vote.clip_id} ({vote.category}): guideline version {vote.guideline_version}, "
                f"want 1 to {row['newest_version']}",
            )
        if vote.set_id is not None and str(vote.set_id) not in row["set_ids"]:
            raise HTTPException(422, f"{vote.clip_id} ({vote.category}): was not handed to you in set {vote.set_id}")


def _cast(ledger: Ledger, person: str, vote: Vote) -> bool:
    """Store an answer; return whether it is in the ledger, now or since an earlier send."""
    values = vote.model_dump(mode="json")
    if ledger.one("cast_vote", annotator=person, **values) is not None:
        return True
    found = ledger.one("web_vote", vote_id=values["vote_id"], annotator=person)
    return found is not None and all(found[name] == values[name] for name in found)


@dataclass(frozen=True, kw_only=True)
class HandedOut:
    """A clip in a person's hands; the columns of lease_clips.sql, lease_set.sql and held_clips.sql."""

    clip_id: str
    category: str
    start_sec: float
    end_sec: float
    proxy_256: str
    set_id: str | None
    """The set in which it was handed out; None: it is asked alone."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """A clip whose answer everybody may see; the columns of web_examples.sql."""

    clip_id: str
    category: str
    start_sec: float
    end_sec: float
    proxy_256: str
    answer: str


def routes(
    authenticate: Callable[..., Any], ledgers: Ledgers, media: Media, review: Review, *, admits: bool
) -> APIRouter:
    """Return the routes under /api; each answers only to somebody who is logged in; `admits`: see `make_app`."""
    router = APIRouter(prefix="/api")
    person_dep = Depends(authenticate)
    sweep = Sweep()

    def shown(clip: HandedOut | Example, person: str) -> dict[str, object]:
        """What a browser learns of a clip. No strategy, score, vote of others or sign of gold: people answer blind."""
        return {
            "clip_id": clip.clip_id,
            "category": clip.category,
            "start_sec": clip.start_sec,
            "end_sec": clip.end_sec,
            "media": media.address(clip.proxy_256, person),
        }

    def handed(clips: Sequence[HandedOut], person: str) -> JSONResponse:
        return JSONResponse([{**shown(clip, person), "set_id": clip.set_id} for clip in clips])

    @router.get("/me")
    def me(person: Annotated[str, person_dep]) -> dict[str, object]:
        """Who is asking, today's work and pace, and the categories that this person may review."""
        with ledgers.borrow() as ledger:
            if admits:
                ledger.run("ensure_annotator", annotator=person)
            pace = ledger.one("web_pace", annotator=person) or {}
            categories = ledger.rows("web_categories", annotator=person)
        return {
            "annotator": person, **pace, "categories": categories, "lease_sec": review.lease_sec,
            "has_sets": review.sets != "never",
        }  # fmt: skip

    @router.get("/category")
    def one_category(person: Annotated[str, person_dep], category: CategoryKey) -> Any:
        """A category's guideline and examples, and how far this person is."""
        asked = {"annotator": person, "category": category}
        with ledgers.borrow() as ledger:
            found = ledger.one("web_category", **asked, count_most=LEFT_MOST)
            examples = ledger.all(Example, "web_examples", category=category, examples_most=EXAMPLES_MOST)
        if found is None:
            raise HTTPException(404, "no such category for you")
        listed = [{**shown(example, person), "answer": example.answer} for example in examples]
        return {**found, "examples": listed, "remaining_most": LEFT_MOST}

    @router.get("/clips")
    def clips(
        person: Annotated[str, person_dep],
        category: CategoryKey,
        most: Annotated[int, Query(ge=1, le=CLIPS_MOST)] = 12,
        held: bool = False,
    ) -> JSONResponse:
        """Lease clips: first those that this person did not answer in time, then new ones.

        `held`: before both come those in this person's hands, for a page that is opened again.
        """
        asked = {"annotator": person, "category": category, "lease_sec": review.lease_sec}
        with ledgers.borrow() as ledger:
            if sweep.is_due():
                ledger.run("expire_leases")
            found = ledger.all(HandedOut, "held_clips", **asked) if held else []
            if len(found) < most:
                found += ledger.all(HandedOut, "lease_again", **asked, clips_most=most - len(found), in_sets=False)
            if len(found) < most:
                wanted = most - len(found)
                gold = sum(random.random() < review.gold_share for _ in range(wanted))
                found += ledger.all(
                    HandedOut, "lease_clips", **asked, clips_most=wanted, gold_most=gold, place=random.random()
                )  # fmt: skip
        return handed(found, person)

    @router.get("/set")
    def one_set(person: Annotated[str, person_dep], category: CategoryKey, held: bool = False) -> JSONResponse:
        """Lease clips that look alike and are answered together: first those not answered in time, then a new set.

        Gold takes the place of one of a set's clips as often as its share of all clips demands. `held`: before both
        come the clips in this person's hands, those that are asked alone among them.
        """
        asked = {"annotator": person, "category": category, "lease_sec": review.lease_sec}
        with ledgers.borrow() as ledger:
            if sweep.is_due():
                ledger.run("expire_leases")
            found = ledger.all(HandedOut, "held_clips", **asked) if held else []
            if not any(clip.set_id for clip in found):
                found += ledger.all(HandedOut, "lease_again", **asked, clips_most=SET_MOST, in_sets=True)
            if not any(clip.set_id for clip in found) and review.sets != "never":
                gold = int(random.random() < review.gold_share * SET_MOST)
                found += ledger.all(
                    HandedOut, "lease_set", **asked, set_id=str(uuid4()), set_most=SET_MOST, set_least=SET_LEAST,
                    gold_most=gold, place=f"{random.getrandbits(64):016x}",
                )  # fmt: skip
        return handed(found, person)

    @router.get("/waiting")
    def waiting(person: Annotated[str, person_dep]) -> dict[str, int]:
        """How many clips and segments this person has answered that wait for somebody else, up to LEFT_MOST of each."""
        with ledgers.borrow() as ledger:
            return ledger.one("web_waiting", annotator=person, count_most=LEFT_MOST) or {}

    @router.get("/media")
    def address(
        person: Annotated[str, person_dep],
        clip_id: ClipId,
        category: CategoryKey,
    ) -> dict[str, str]:
        """Make a new address for a clip whose old one has ended."""
        with ledgers.borrow() as ledger:
            clip = ledger.one("web_clip", annotator=person, clip_id=clip_id, category=category)
        if clip is None:
            raise HTTPException(404, "this clip is not in your hands")
        return {"media": media.address(clip["proxy_256"], person)}

    @router.post("/votes", dependencies=[person_dep, Depends(same_page)])
    def vote(person: Annotated[str, person_dep], sent: Annotated[Votes, Depends(body_of(Votes))]) -> JSONResponse:
        """Store answers, all in one transaction; a repeated send is harmless.

        Says of each whether it is in the ledger. One that is not never will be: the clip was withdrawn, or answered
        already by this person, or the category is not this person's to review. An answer that nobody asked this person
        for, and one under a version of the guideline that does not exist, is refused, and the others of the call with
        it. A set whose answers are mixed is split: others see its clips in smaller sets, or one by one.
        """
        # In one order for everybody, so that two people who answer the same clips at once do not block each other.
        # A correction stays behind what it corrects: both are about one clip, and the sort is stable.
        ordered = sorted(sent.votes, key=lambda vote: (vote.category, vote.clip_id))
        sets = sorted({str(vote.set_id) for vote in ordered if vote.set_id is not None})
        with ledgers.borrow() as ledger:
            _check_asked(ledger, person, ordered)
            if len(ordered) == 1 and not sets and ordered[0].supersedes is None:
                stored = [_cast(ledger, person, ordered[0])]
            else:
                with ledger.transaction():
                    ledger.rows(
                        "lock_clips", annotator=person, set_ids=sets, clip_ids=[vote.clip_id for vote in ordered],
                        categories=[vote.category for vote in ordered],
                    )  # fmt: skip
                    stored = [_cast(ledger, person, vote) for vote in ordered]
                    if sets:
                        ledger.run("split_sets", annotator=person, set_ids=sets, set_least=SET_LEAST)
        return JSONResponse({"stored": {str(vote.vote_id): done for vote, done in zip(ordered, stored, strict=True)}})

    return router
