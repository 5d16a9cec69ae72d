"""Choose the clips that are worth a person's time, and put them into the review queue.

**Runs** when `score_clips` has scored a window, and daily (`SLAC_SEND_CRON`). A category gets clips when its queue
holds less than a day of work.

**Reads** `videos`, `clips`, `scores`, `features`, `committees`, `accounts`, `imported` and `detections`. **Writes**
`hard_clips`, one round per window and committee, the ledger's queue, and `map`, the newest rounds of each category in
two dimensions for the page of clips.

**Skips** every task after `plan` when no queue runs low, or no window waits to be mined.

**Safe to run again**: a round is mined once, and a clip is queued once per category.
"""

import os

from airflow.sdk import DAG, CronTriggerTimetable
from slac_airflow import ended, plan, slac
from slac_command import variable
from slac_watch import alerts

with DAG(
    dag_id="send_hard_clips",
    dag_display_name="3 · send_hard_clips",
    description=__doc__.partition("\n")[0],
    schedule=CronTriggerTimetable(variable("SLAC_SEND_CRON", os.environ, "0 5 * * *"), timezone="UTC"),
    doc_md=__doc__,
    **alerts(hours=24),
    catchup=False,
    max_active_runs=1,
    tags=["slac", "people"],
):
    todo = plan("send_hard_clips")
    mine = slac("mine", each=todo)
    publish = slac("publish", each=todo)
    drawn = slac("map", all_of=todo, trigger_rule="all_done")

    todo >> mine >> [publish, drawn]
    [mine, publish, drawn] >> ended()
