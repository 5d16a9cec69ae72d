"""What the platform made of a world, against the world's truth, as lines of text."""

from collections.abc import Iterator

from slac_tasks.reports.frames import all_rows, labels_frame
from slac_tasks.reports.hardness import pools, unlearned
from slac_tasks.storage.datasets import HARD_CLIPS, VIDEOS
from slac_tasks.storage.tables import Datasets
from slac_tasks.world.measure import accuracy_of_labels, committee_error, error_by_agreement
from slac_tasks.world.truth import Truth


def lines(datasets: Datasets, truth: Truth) -> Iterator[str]:
    """Yield the measures, a line at a time."""
    labels = labels_frame(datasets)
    settled = labels[labels["status"] == "settled"]
    if settled.empty:
        yield "no settled labels yet"
        return
    named = all_rows(datasets, VIDEOS)[["video_id", "category", "source_id"]]
    accuracy = accuracy_of_labels(settled.merge(named, on=["video_id", "category"]), truth)
    yield f"accuracy of the labels against the world's truth: {accuracy:.3f}"
    hard = unlearned(datasets, all_rows(datasets, HARD_CLIPS)).merge(named, on=["video_id", "category"])
    yield f"on {len(hard):,} clips of videos that the committee did not learn from, its majority is wrong on"
    for strategy, share in committee_error(hard, truth).items():
        yield f"  {share:.3f} of {sum(hard['strategy'] == strategy):,} {strategy} clips"
    pool = unlearned(datasets, pools(datasets)).merge(named, on=["video_id", "category"])
    divided, agreed = error_by_agreement(pool, truth)
    yield f"of all {len(pool):,} such clips, it is wrong on {divided:.3f} of the tenth on which it disagrees most,"
    yield f"  on {agreed:.3f} of the tenth on which it agrees most, on yes or on no"
