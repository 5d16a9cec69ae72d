"""Judge every category's labels, report on them, and ask a person about those that were refused.

**Runs** when there are new labels (asset `labels`), and daily.

**Reads** `labels` with `label_changes`, `votes`, `hard_clips`, `scores` and `accounts`.
**Writes** `quality`, `people`, `agreement` and `rounds`, the report under `reports/v1/`, the ledger's verdicts, and
what a person decided. `report` announces `validated_labels` before anybody is asked: an answer that takes a day holds
up no other category, and this DAG not either, since judging goes on in the next run while a question waits.

**Skips** every task after `refused` when nothing is refused and undecided, or while a question waits for its answer;
`ask` when nobody answers in time, or the answer is `not now`. Nothing is recorded then, and the next run asks again.

**Safe to run again**: labels that are judged stay judged, and a decision is recorded once.
"""

from airflow.sdk import DAG, AssetOrTimeSchedule, CronTriggerTimetable
from slac_airflow import LABELS, VALIDATED_LABELS, PlanToAsk, ask, plan, slac

with DAG(
    dag_id="check_labels",
    schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable("30 5 * * *", timezone="UTC"), assets=[LABELS]),
    doc_md=__doc__,
    catchup=False,
    # More than one, because a run that waits for a person is active; `validate` and `report` run one at a time.
    max_active_runs=3,
    tags=["slac", "people"],
):
    validate = slac("validate")
    report = slac("report", outlets=[VALIDATED_LABELS])
    refused = plan("check_labels", task_id="refused", kind=PlanToAsk)
    question = ask(each=refused)
    approve = slac("approve", each=question)

    validate >> report >> refused >> question >> approve
