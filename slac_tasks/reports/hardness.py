"""Are the clips on which the committee disagrees harder than those on which it agrees? Tables for that question."""

from collections.abc import Iterator

import pandas as pd

from slac_tasks.model import Split, round_window
from slac_tasks.storage.datasets import CLIPS, COMMITTEES, HARD_CLIPS, SCORES
from slac_tasks.storage.tables import Datasets


def pools(datasets: Datasets) -> pd.DataFrame:
    """Return every clip that a round could choose from, as its committee scored it.

    Columns: clip_id, video_id, category, round, start_sec, end_sec, split, and scores: a list of {member, weights,
    score}, as hard_clips has it.
    """
    found = list(_pools(datasets))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def _pools(datasets: Datasets) -> Iterator[pd.DataFrame]:
    for keys in datasets.partitions(HARD_CLIPS):
        chosen = datasets.read(HARD_CLIPS, **keys)
        if not chosen.num_rows:
            continue
        window = round_window(keys["round"])
        clips = datasets.read(CLIPS, category=keys["category"], window=window).to_pandas().set_index("clip_id")
        scores: dict[str, list[dict[str, object]]] = {}
        for weights in {score["weights"] for score in chosen["scores"][0].as_py()}:
            partition = datasets.read(SCORES, category=keys["category"], window=window, weights=weights)
            for row in partition.select(["clip_id", "member", "score"]).to_pylist():
                scores.setdefault(row.pop("clip_id"), []).append({**row, "weights": weights})
        pool = clips.loc[list(scores), ["video_id", "start_sec", "end_sec", "split"]].reset_index()
        yield pool.assign(scores=list(scores.values()), **keys)


def unlearned(datasets: Datasets, clips: pd.DataFrame) -> pd.DataFrame:
    """Return the clips of videos from which no member that scored them has learned, as far as is known.

    A member remembers the weak label of a video that it was trained on, so its verdict there says nothing about how
    hard a clip is. Of a member that no committee has any more nothing is known: it is taken to have learned.

    Args:
        datasets: where the committees are.
        clips: columns split, round, scores.

    """
    members = [row for keys in datasets.partitions(COMMITTEES) for row in datasets.read(COMMITTEES, **keys).to_pylist()]
    origin = {row["weights"]: row["origin"] for row in members}

    def is_learned(split: str, window: str, weights: list[str]) -> bool:
        sources = {origin.get(name) for name in weights}
        met = any(one is None or one.startswith("release:") or one == f"bootstrap:{window}" for one in sources)
        return met and split == Split.TRAINING

    learned = [
        is_learned(split, round_window(round_), [score["weights"] for score in scores])
        for split, round_, scores in zip(clips["split"], clips["round"], clips["scores"], strict=True)
    ]
    return clips[[not value for value in learned]]
