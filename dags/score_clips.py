"""Cut a window's videos into clips and let every member of the committee score them.

**Runs** when the videos of a window arrive (asset `videos`, the same partition key), and again for windows that a
promotion names; by hand for one window, or without a partition key for all that wait. One run at a time: each bootstrap
extends the committee that the one before it made. The log of `plan` says what scoring will take, by the measured rate
of each device.

**Reads** `videos` and their renditions; `labels` with `label_changes` and `hard_clips`, by which a member that reads
words is calibrated. **Writes** `clips`, `scores` and `features` (keyed by weights, so an unchanged
member never scores a clip twice), and `committees` when a category has none. It ends with a run of `send_hard_clips`,
so that nobody waits until tomorrow for clips of a window that is scored today.

**Skips** every task after `plan` when all clips of the window are scored; `bootstrap` when the committee covers every
category. What was mined is scored by a network that has joined since only where its promotion names the window.

**Safe to run again**: what is scored stays. A category that failed holds up no other, and the run ends failed.
"""

from airflow.sdk import DAG, IdentityMapper, PartitionedAssetTimetable
from slac_airflow import VIDEOS, WINDOW, ended, plan, slac, start
from slac_watch import alerts

with DAG(
    dag_id="score_clips",
    dag_display_name="2 · score_clips",
    description=__doc__.partition("\n")[0],
    schedule=PartitionedAssetTimetable(assets=VIDEOS, default_partition_mapper=IdentityMapper()),
    doc_md=__doc__,
    # Its window ended on Monday at 00:00 UTC: by Wednesday noon people hear that it is not scored.
    **alerts(hours=60),
    max_active_runs=1,
    tags=["slac", "window", "gpu"],
):
    todo = plan("score_clips", window=WINDOW, estimate=True)
    propose = slac("propose", each=todo)
    bootstrap = slac("bootstrap", all_of=todo, trigger_rule="all_done")
    score = slac("score", each=todo)
    # Whatever became of one category, the clips of the others are scored.
    send = start("send_hard_clips", trigger_rule="all_done")

    todo >> propose >> bootstrap >> score >> send
    [propose, bootstrap, score, send] >> ended()
