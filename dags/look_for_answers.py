"""Look whether people have answered, and wake the DAG that turns answers into labels.

**Runs** every five minutes (`SLAC_SYNC_CRON`).

**Reads** nothing but the ledger. **Writes** nothing; one event of the asset `answers` when an answer waits to become a
label, which wakes `sync_verifications`.

**Skips** nothing: a look that finds nothing ends well, and so does one while `sync_verifications` is at work.

**Safe to run again**: it only looks.
"""

import os

from airflow.sdk import DAG, CronTriggerTimetable
from slac_airflow import ANSWERS, Look, plan
from slac_command import variable
from slac_watch import alerts

with DAG(
    dag_id="look_for_answers",
    dag_display_name="4 · look_for_answers",
    description=__doc__.partition("\n")[0],
    schedule=CronTriggerTimetable(variable("SLAC_SYNC_CRON", os.environ, "*/5 * * * *"), timezone="UTC"),
    doc_md=__doc__,
    **alerts(hours=24),
    catchup=False,
    max_active_runs=1,
    tags=["slac", "people"],
):
    look = plan("sync_verifications", task_id="look", kind=Look, asset=ANSWERS)
