"""Simulated people: they answer open clips through the same tables as people do.

Who is asked about a clip, and what each says, are hashes of (seed, person, clip): runs repeat, in whatever order and
however often they are cut off. A vote's id is such a hash too, so that a repeated send is harmless.
"""

import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from slac_tasks.errors import NotConfigured, Temporary, WrongArguments
from slac_tasks.model import CLIP_SEC, Answer, unit_hash
from slac_tasks.progress import print_line
from slac_tasks.storage.ledger import Ledger, open_ledger
from slac_tasks.verification.sets import SET_LEAST
from slac_tasks.world.truth import Truth, read_truth

PEOPLE = 20
RANDOM_PEOPLE = 1
"""How many of them click at random."""
DECIDE_SEC = 1.55
"""Modelled time from the end of the clip, seen once, to the answer."""
KEY_SEC, MIND_SEC, GLANCE_SEC = 0.28, 1.35, 0.23
"""To press a key, to make up one's mind, to look: the keystroke-level model (Card, Moran and Newell 1980)."""
END_SEC = 2.0
"""How long the page plays the moment of an end: a second before it, and one after it."""
SET_MISS = 0.1
"""Chance that somebody who answers a set overlooks that a clip differs from most of it. An assumption of ours: people
do overlook what is rare (Wolfe et al. 2005), but nobody has measured it on these pages."""
POLL_SEC = 2.0


@dataclass(frozen=True, kw_only=True)
class OpenClip:
    """A clip that wants answers; the columns of sql/queries/open_clips.sql."""

    clip_id: str
    category: str
    start_sec: float
    end_sec: float
    votes_wanted: int
    alike: str | None
    """Clips with the same name may be asked together; None: it is asked alone."""
    guideline_version: int
    source_id: str
    """The source's own name of its video."""
    annotators: Sequence[str]
    """Who has answered it."""
    again: bool = False
    """Whether one more person is asked although the label stands."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What people were asked."""

    votes: int
    seconds: float
    """Modelled."""


class CastVote(TypedDict):
    """A vote as sql/queries/cast_vote.sql takes it."""

    vote_id: str
    clip_id: str
    category: str
    annotator: str
    answer: str
    seconds: float
    guideline_version: int
    supersedes: str | None
    set_id: str | None


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


def votes_for(people: tuple[Person, ...], seed: int, asked: OpenClip, contains: bool) -> list[CastVote]:
    """Return the votes that a clip's `votes_wanted` still asks for.

    Args:
        people: everybody who may be asked.
        seed: of the people.
        asked: one open clip of the queue.
        contains: whether the clip shows the hypothesised action.

    """
    return [
        _vote(person, seed, asked, person.answer(seed, asked.clip_id, asked.category, contains), CLIP_SEC + DECIDE_SEC)
        for person in _called(assigned(people, seed, asked.clip_id, asked.category), asked)
    ]


def _called(turns: Iterable[Person], asked: OpenClip) -> list[Person]:
    """Return who of these people is still asked about a clip."""
    missing = max(0, asked.votes_wanted - len(set(asked.annotators)))
    return [person for person in turns if person.name not in asked.annotators][:missing]


def _vote(
    person: Person, seed: int, asked: OpenClip, answer: Answer, seconds: float, set_id: str | None = None
) -> CastVote:
    named = f"slac {seed} {person.name} {asked.clip_id} {asked.category}"
    return {
        "vote_id": str(uuid.uuid5(uuid.NAMESPACE_OID, named)),
        "clip_id": asked.clip_id,
        "category": asked.category,
        "annotator": person.name,
        "answer": answer.value,
        "seconds": seconds,
        "guideline_version": asked.guideline_version,
        "supersedes": None,
        "set_id": set_id,
    }


def set_seconds(clips: int, exceptions: int) -> float:
    """Return the modelled time of a set: a look and a thought for each clip, a key for each exception and the end."""
    return clips * (GLANCE_SEC + MIND_SEC) + (exceptions + 1) * (MIND_SEC + KEY_SEC)


def alone_seconds() -> float:
    """Return the modelled time of a practised person's answer to one clip, of which half of a loop suffices."""
    return CLIP_SEC / 2 + GLANCE_SEC + MIND_SEC + KEY_SEC


def segment_seconds(loop_sec: float, ends: int, keys: int) -> float:
    """Return the modelled time of a practised person's answer to a proposed segment.

    The whole is seen once, and so is the moment of each end that is moved; there is a thought for each of these ends
    and one for the answer, and all keys are pressed.

    Args:
        loop_sec: how long the whole takes, as the page plays it.
        ends: how many ends are moved, 0 to 2.
        keys: that are pressed, that of the answer among them.

    """
    return loop_sec + GLANCE_SEC + ends * (END_SEC + MIND_SEC) + MIND_SEC + keys * KEY_SEC


def votes_for_set(
    people: tuple[Person, ...], seed: int, asked: Sequence[OpenClip], contains: Contains
) -> list[CastVote]:
    """Return the votes that clips which look alike still ask for, each person's in one set.

    Who overlooks an exception gives it the answer of most clips of the set.

    Args:
        people: everybody who may be asked.
        seed: of the people.
        asked: open clips of one category with one name of a set.
        contains: whether a clip shows the hypothesised action.

    """
    alike, category = str(asked[0].alike), asked[0].category
    hands: Mapping[Person, list[OpenClip]] = defaultdict(list)
    for clip in asked:
        for person in _called(assigned(people, seed, alike, category), clip):
            hands[person].append(clip)
    votes = []
    for person, clips in hands.items():
        seen = {clip.clip_id: person.answer(seed, clip.clip_id, category, contains(clip)) for clip in clips}
        most = max((Answer.NO, Answer.YES), key=list(seen.values()).count)
        said = {
            clip: most if unit_hash("overlooks", str(seed), person.name, clip, category) < SET_MISS else answer
            for clip, answer in seen.items()
        }
        exceptions = sum(answer != most for answer in said.values())
        seconds = set_seconds(len(clips), exceptions) / len(clips)
        set_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"slac {seed} {person.name} {alike} {category}"))
        votes += [_vote(person, seed, clip, said[clip.clip_id], seconds, set_id) for clip in clips]
    return votes


def answer_open(
    ledger: Ledger, contains: Contains, seed: int, *, in_sets: bool = False, leave: str | None = None
) -> Answered:
    """Answer every open clip that wants votes.

    Args:
        ledger: holds the queue.
        contains: whether a clip shows its category's action.
        seed: of the people.
        in_sets: answer those together that may be asked together.
        leave: category whose clips that are asked again are left to somebody else.

    """
    people = crew(seed)
    sets: Mapping[tuple[str, str], list[OpenClip]] = defaultdict(list)
    votes: list[CastVote] = []
    for clip in ledger.all(OpenClip, "open_clips"):
        if clip.again and clip.category == leave:
            continue
        if in_sets and clip.alike is not None:
            sets[clip.category, clip.alike].append(clip)
        else:
            votes += votes_for(people, seed, clip, contains(clip))
    for clips in sets.values():
        if len(clips) >= SET_LEAST:
            votes += votes_for_set(people, seed, clips, contains)
        else:
            votes += [vote for clip in clips for vote in votes_for(people, seed, clip, contains(clip))]
    if votes:
        ledger.run_many("ensure_annotator", [{"annotator": person.name} for person in people])
        ledger.run_many("cast_vote", votes)
    for person in people:
        given = {vote["set_id"] for vote in votes if vote["annotator"] == person.name and vote["set_id"]}
        if given:
            ledger.run("split_sets", annotator=person.name, set_ids=sorted(given), set_least=SET_LEAST)
    return Answered(votes=len(votes), seconds=sum(vote["seconds"] for vote in votes))


def seen_in(truth: Truth) -> Contains:
    """Return how people who see the world's truth judge a clip of the queue."""

    def contains(clip: OpenClip) -> bool:
        # The bytes of one video may be offered under several names; all of them hold the same.
        return truth.contains(clip.source_id, clip.category, clip.start_sec, clip.end_sec)

    return contains


def review(
    folder: Path | None,
    *,
    seed: int,
    follow: bool,
    assume_right: bool,
    in_sets: bool,
    leave: str | None = None,
    until_release: bool = False,
) -> None:
    """Answer what is open, once or until stopped; `leave` as in `answer_open`.

    `until_release`: what is asked after the first release is left to somebody else.

    Raises:
        WrongArguments: neither a world nor the wish to assume that retrieval is right.

    """
    if folder is None and not assume_right:
        raise WrongArguments("world review: want the folder of a world, or --assume-retrieval-is-right")
    contains = (lambda clip: True) if folder is None else seen_in(read_truth(folder))
    while True:
        try:
            with closing(open_ledger()) as ledger:
                if until_release and ledger.one("last_release"):
                    return
                sent = answer_open(ledger, contains, seed, in_sets=in_sets, leave=leave)
        except (Temporary, NotConfigured) as failure:
            # The launcher starts its people before its database is ready.
            if not follow:
                raise
            print_line(f"world review: waits: {failure}")
            sent = Answered(votes=0, seconds=0.0)
        if sent.votes or not follow:
            print_line(f"world review: {sent.votes} simulated answers, {sent.seconds:.0f} s of modelled work")
        if not follow:
            return
        time.sleep(POLL_SEC)
