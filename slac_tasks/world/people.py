"""Simulated people: they answer open clips through the same tables as people do.

Who is asked about a clip, and what each says, are hashes of (seed, person, clip): runs repeat, in whatever order and
however often they are cut off. A vote's id is such a hash too, so that a repeated send is harmless.
"""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from slac_tasks.errors import NotConfigured, Temporary, WrongArguments
from slac_tasks.model import CLIP_SEC, Answer, unit_hash
from slac_tasks.progress import print_line
from slac_tasks.storage.ledger import Ledger, open_ledger
from slac_tasks.world.truth import Truth, read_truth

PEOPLE = 20
RANDOM_PEOPLE = 1
"""How many of them click at random."""
DECIDE_SEC = 1.55
"""Modelled time from the end of the clip, seen once, to the answer."""
POLL_SEC = 2.0


@dataclass(frozen=True, kw_only=True)
class OpenClip:
    """A clip that wants answers; the columns of sql/queries/open_clips.sql."""

    clip_id: str
    category: str
    start_sec: float
    end_sec: float
    votes_wanted: int
    guideline_version: int
    source_id: str
    """The source's own name of its video."""
    annotators: Sequence[str]
    """Who has answered it."""


Contains = Callable[[OpenClip], bool]


@dataclass(frozen=True, kw_only=True)
class Person:
    """One simulated person."""

    name: str
    sensitivity: float
    """Chance of a yes to a clip that shows the action."""
    specificity: float
    """Chance of a no to a clip that does not."""

    def answer(self, seed: int, clip: str, category: str, contains: bool) -> Answer:
        """Return what this person says, the same whenever asked."""
        chance = unit_hash("answer", str(seed), self.name, clip, category)
        is_yes = chance < self.sensitivity if contains else chance >= self.specificity
        return Answer.YES if is_yes else Answer.NO


def crew(seed: int) -> tuple[Person, ...]:
    """Return the people: sensitivity 0.90 ± 0.05, specificity 0.93 ± 0.04, and one in twenty who clicks at random."""
    names = [f"simulated-{number:02d}" for number in range(1, PEOPLE + 1)]
    clicker = sorted(names, key=lambda name: unit_hash("clicker", str(seed), name))[:RANDOM_PEOPLE]
    return tuple(
        Person(name=name, sensitivity=0.5, specificity=0.5)
        if name in clicker
        else Person(
            name=name,
            sensitivity=0.85 + 0.10 * unit_hash("sensitivity", str(seed), name),
            specificity=0.89 + 0.08 * unit_hash("specificity", str(seed), name),
        )
        for name in names
    )


def assigned(people: tuple[Person, ...], seed: int, clip: str, category: str) -> list[Person]:
    """Return everybody in the order in which they would be asked about this clip."""
    return sorted(people, key=lambda person: unit_hash("turn", str(seed), person.name, clip, category))


def votes_for(people: tuple[Person, ...], seed: int, asked: OpenClip, contains: bool) -> list[dict[str, object]]:
    """Return the votes that a clip's `votes_wanted` still asks for.

    Args:
        people: everybody who may be asked.
        seed: of the people.
        asked: one open clip of the queue.
        contains: whether the clip shows the hypothesised action.

    """
    clip, category = asked.clip_id, asked.category
    given = set(asked.annotators)
    missing = max(0, asked.votes_wanted - len(given))
    called = [person for person in assigned(people, seed, clip, category) if person.name not in given][:missing]
    return [
        {
            "vote_id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"slac {seed} {person.name} {clip} {category}")),
            "clip_id": clip,
            "category": category,
            "annotator": person.name,
            "answer": person.answer(seed, clip, category, contains).value,
            "seconds": CLIP_SEC + DECIDE_SEC,
            "guideline_version": asked.guideline_version,
            "supersedes": None,
            "set_id": None,
        }
        for person in called
    ]


def answer_open(ledger: Ledger, contains: Contains, seed: int) -> int:
    """Answer every open clip that wants votes; return how many votes were sent."""
    people = crew(seed)
    votes = [
        vote for clip in ledger.all(OpenClip, "open_clips") for vote in votes_for(people, seed, clip, contains(clip))
    ]  # fmt: skip
    if votes:
        ledger.run_many("ensure_annotator", [{"annotator": person.name} for person in people])
        ledger.run_many("cast_vote", votes)
    return len(votes)


def seen_in(truth: Truth) -> Contains:
    """Return how people who see the world's truth judge a clip of the queue."""

    def contains(clip: OpenClip) -> bool:
        # The bytes of one video may be offered under several names; all of them hold the same.
        return truth.contains(clip.source_id, clip.category, clip.start_sec, clip.end_sec)

    return contains


def review(folder: Path | None, *, seed: int, follow: bool, assume_right: bool) -> None:
    """Answer what is open, once or until stopped.

    Raises:
        WrongArguments: neither a world nor the wish to assume that retrieval is right.

    """
    if folder is None and not assume_right:
        raise WrongArguments("world review: want the folder of a world, or --assume-retrieval-is-right")
    contains = (lambda clip: True) if folder is None else seen_in(read_truth(folder))
    while True:
        try:
            ledger = open_ledger()
            try:
                sent = answer_open(ledger, contains, seed)
            finally:
                ledger.close()
        except (Temporary, NotConfigured) as failure:
            # The launcher starts its people before its database is ready.
            if not follow:
                raise
            print_line(f"world review: waits: {failure}")
            sent = 0
        if sent or not follow:
            print_line(
                f"world review: {sent} simulated answers, {sent * (CLIP_SEC + DECIDE_SEC):.0f} s of modelled work"
            )
        if not follow:
            return
        time.sleep(POLL_SEC)
