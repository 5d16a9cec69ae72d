"""How many categories one task scores: so many that its start is a tenth of its time at most.

A card that scores a category of a week in two seconds would else spend most of its time on pods that start. What a
category takes is what earlier runs measured (`slac_tasks.networks.rates`); where nothing is known the setting
`batch_categories` decides alone, and a batch is never smaller than it says.
"""

import math
from collections import Counter
from statistics import mean

from slac_tasks.networks.committees import rows_by_category
from slac_tasks.networks.rates import Work, rates
from slac_tasks.planning.planner import Planner
from slac_tasks.storage.datasets import CLIPS

START_SHARE = 0.1
"""Part of a task's time that may go into its start."""
MOST = 256
"""Categories of one task: what is lost with its pod stays small, and its command line short."""


def categories_to_score(planner: Planner) -> int:
    """Return the categories of one window that one task of `score` takes."""
    least = planner.settings.batch_categories
    clips = [one.row_count for one in planner.current(CLIPS)]
    found = rates(planner.datasets.store, work) if (work := _usual_work(planner)) else []
    if not found or not any(clips):
        return least
    # On the fastest device the start weighs most.
    fastest = max(found, key=lambda rate: rate.clips_per_s)
    start = fastest.startup_sec + planner.settings.task_start_sec
    enough = math.ceil(start * (1 / START_SHARE - 1) * fastest.clips_per_s / mean(clips))
    return max(least, min(enough, MOST))


def _usual_work(planner: Planner) -> Work | None:
    """Return what the current committee does with a clip in most of its categories."""
    if planner.committee is None:
        return None
    seats = rows_by_category(planner.datasets, planner.committee)
    works = Counter(Work.of(rows, planner.settings.scoring) for rows in seats.values())
    return works.most_common(1)[0][0] if works else None
