"""Simulated people and clips, as tables of votes."""

import numpy as np
import pyarrow as pa

from slac_tasks.verification.ballots import ANSWERS, Ballots, Floats, Ints, read_ballots


def ballots_of(rows: list[tuple[str, str, str]], category: str = "judo") -> Ballots:
    """Ballots from (clip, person, answer), cast one after the other."""
    clips, people, answers = (list(column) for column in zip(*rows, strict=True))
    return read_ballots(vote_table(clips, people, answers, [category] * len(rows)))


def vote_table(clips: list[str], people: list[str], answers: list[str], categories: list[str]) -> pa.Table:
    count = len(clips)
    return pa.table(
        {
            "vote_id": [f"{index:08d}" for index in range(count)],
            "clip_id": clips,
            "category": categories,
            "annotator": people,
            "answer": answers,
            "cast_at": pa.array(range(count), pa.int64()).cast(pa.timestamp("us", tz="UTC")),
            "supersedes": pa.nulls(count, pa.string()),
            "set_id": pa.nulls(count, pa.string()),
        }
    )


def crowd(seed: int, clips: int, sensitivity: Floats, specificity: Floats, each: int = 3) -> tuple[Ballots, Ints]:
    """Draw `each` answers to every clip, in random order; return (the ballots, the truth of their clips)."""
    chance = np.random.default_rng(seed)
    truth = (chance.random(clips) < 0.4).astype(np.int64)
    people = len(sensitivity)
    person = np.argsort(chance.random((clips, people)), axis=1)[:, :each].ravel()
    clip = np.repeat(np.arange(clips), each)
    order = chance.permutation(len(clip))
    clip, person = clip[order], person[order]
    yes = chance.random(len(clip)) < np.where(truth[clip] == 1, sensitivity[person], 1 - specificity[person])
    categories = [f"c{index % 2}" for index in clip.tolist()]
    votes = vote_table(
        [f"{index:06d}:0" for index in clip.tolist()], [f"p{index:02d}" for index in person.tolist()],
        [ANSWERS[0] if said else ANSWERS[1] for said in yes.tolist()], categories,
    )  # fmt: skip
    ballots = read_ballots(votes)
    return ballots, truth[[int(name[:6]) for name in ballots.clip_ids.to_pylist()]]
