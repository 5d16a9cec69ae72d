"""What the grid is worth: clips that look alike on one screen, beside the same clips asked one by one.

The clips are those of one default round, and the sets are the product's. What people answer and how long they take is
modelled (`slac_tasks.world.people`): whoever answers a set overlooks some exceptions, and a set with mixed answers is
split and asked a second time, as the review pages do; a third person decides where two differ.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.harness.campaigns import Category
from bench.harness.worlds import World, scored
from slac_tasks.mining.alike import clusters
from slac_tasks.mining.choice import choose
from slac_tasks.mining.plan import plan_round
from slac_tasks.mining.settings import Mining
from slac_tasks.model import Answer
from slac_tasks.verification.queue import CONTROLS
from slac_tasks.verification.sets import SET_LEAST, SET_MOST, named
from slac_tasks.world import people
from slac_tasks.world.people import CastVote, Contains, OpenClip

SECONDS_OF_CLIP = Mining().seconds_per_answer
WAYS = ("sets", "alone_once", "alone_twice")
Crew = tuple[people.Person, ...]


@dataclass(frozen=True, kw_only=True)
class Grid:
    """What one way of asking gave."""

    per_minute: float
    """Labels for a minute of people's time."""
    error: float
    """Share of them that is wrong."""
    mixed: float
    """Share of the sets whose answers were mixed; 0 where nothing was asked in sets."""


def grids(world: World, seed: int) -> dict[str, Grid]:
    """Return by way what the clips of one round that are in sets gave with one crew; empty: there is no set."""
    crew, sets = people.crew(seed), list(sets_of(world))
    own = zip(world.clips["clip_id"], world.clips["category"], world.clips["truth"], strict=True)
    shown = {(clip, category) for clip, category, truth in own if truth}

    def contains(clip: OpenClip) -> bool:
        return (clip.clip_id, clip.category) in shown

    def asked(way: str, clips: Sequence[OpenClip]) -> list[CastVote]:
        if way == "sets":
            return in_sets(crew, seed, clips, contains)
        return alone(crew, seed, clips, contains, wanted=2 if way == "alone_twice" else 1)

    return {way: judged(sets, [asked(way, clips) for clips in sets], contains) for way in WAYS if sets}


def sets_of(world: World) -> Iterator[list[OpenClip]]:
    """Yield the sets of the first round of every category."""
    scores = scored(world, world.heads)
    for name in world.categories:
        category = Category.of(world, name, scores)
        at = category.pool.at
        if at is None:
            continue
        plan = plan_round(world.knobs, seconds_per_clip=SECONDS_OF_CLIP)
        chosen = choose(category.pool, plan.clips, knobs=world.knobs)
        rows = [choice.index for choice in chosen if choice.strategy not in CONTROLS]
        if not rows:
            continue
        together: dict[str, list[OpenClip]] = {}
        points = at[np.argsort(category.pool.row)][rows]
        for row, alike in zip(rows, named(clusters(points, SET_MOST), name), strict=True):
            if alike is not None:
                clip = OpenClip(
                    clip_id=category.ids[row], category=name, start_sec=0.0, end_sec=0.0, votes_wanted=1, alike=alike,
                    guideline_version=1, source_id="", annotators=(),
                )  # fmt: skip
                together.setdefault(alike, []).append(clip)
        yield from together.values()


def in_sets(crew: Crew, seed: int, clips: Sequence[OpenClip], contains: Contains) -> list[CastVote]:
    """Return the votes on a set: one person's, and where these are mixed a second person's on each half."""
    votes = people.votes_for_set(crew, seed, clips, contains)
    said = {vote["clip_id"]: vote for vote in votes}
    halves = {
        answer: [
            replace(clip, votes_wanted=2, annotators=(said[clip.clip_id]["annotator"],), alike=f"{clip.alike} {answer}")
            for clip in clips
            if said[clip.clip_id]["answer"] == answer
        ]
        for answer in (Answer.YES.value, Answer.NO.value)
    }
    if not all(halves.values()):
        return votes
    for half in halves.values():
        if len(half) >= SET_LEAST:
            votes += people.votes_for_set(crew, seed, half, contains)
        else:
            votes += [vote for clip in half for vote in people.votes_for(crew, seed, clip, contains(clip))]
    return votes + _third(crew, seed, clips, contains, votes)


def alone(crew: Crew, seed: int, clips: Sequence[OpenClip], contains: Contains, wanted: int) -> list[CastVote]:
    """Return the votes on the same clips, one by one; of two that differ a third person decides."""
    asked = [replace(clip, votes_wanted=wanted) for clip in clips]
    votes = [vote for clip in asked for vote in people.votes_for(crew, seed, clip, contains(clip))]
    return votes + (_third(crew, seed, clips, contains, votes) if wanted > 1 else [])


def _third(
    crew: Crew, seed: int, clips: Sequence[OpenClip], contains: Contains, votes: Sequence[CastVote]
) -> list[CastVote]:
    found: list[CastVote] = []
    for clip in clips:
        own = [vote for vote in votes if vote["clip_id"] == clip.clip_id]
        if len({vote["answer"] for vote in own}) > 1:
            third = replace(clip, votes_wanted=3, annotators=[vote["annotator"] for vote in own])
            found += people.votes_for(crew, seed, third, contains(clip))
    return found


def judged(sets: Sequence[Sequence[OpenClip]], votes: Sequence[Sequence[CastVote]], contains: Contains) -> Grid:
    """Return what all votes on all sets gave; a clip that was asked alone takes a practised person's time."""
    seconds, wrong, count, mixed = 0.0, 0, 0, 0
    for clips, given in zip(sets, votes, strict=True):
        seconds += sum(vote["seconds"] if vote["set_id"] else people.alone_seconds() for vote in given)
        for clip in clips:
            said = [vote["answer"] for vote in given if vote["clip_id"] == clip.clip_id]
            wrong += (said.count(Answer.YES) * 2 > len(said)) != contains(clip)
        count += len(clips)
        first = {vote["set_id"] for vote in given[: len(clips)]} - {None}
        mixed += bool(first) and len({vote["answer"] for vote in given[: len(clips)]}) > 1
    return Grid(per_minute=60 * count / seconds, error=wrong / count, mixed=mixed / len(sets))
