"""Judge every category's labels, report on them, and ask a person about those that were refused.

**Runs** when there are new labels that it is time to judge (asset `labels`), and daily.

**Reads** `candidates`, `fetched`, `videos`, `clips`, `scores`, `features`, `hard_clips`, `votes`, `labels` with
`label_changes`, `control`, `release`, `detections`, `segment_votes`, `segment_labels` and `accounts`.
**Writes** `expectations`, `measures`, `quality`, `people`, `agreement` and `rounds`, the report under `reports/v1/`,
the ledger's verdicts, and what a person decided. Where a release is due, `announce` wakes `pretrain` (asset
`validated_labels`) before anybody is asked: an answer that takes a day holds up no other category, and this DAG not
either, since judging goes on in the next run while a question waits. `approve` wakes it too: what a person lets in may
be enough for a release.

**Partitioned** by category: `ask` and `approve` are one task for each, under its name, and `judge` one for a few of
those whose labels changed (`batch_categories`). A category that could not be measured holds up no other; to clear its
task and those after it tries again.

**Skips** `judge` when no category has changed; every task after `refused` when nothing is refused and undecided, or
while a question waits for its answer; `ask` when nobody answers in time, or the answer is `not now`. Nothing is
recorded then, and the next run asks again.

**Safe to run again**: labels that are judged stay judged, and a decision is recorded once.
"""

from airflow.sdk import DAG, AssetOrTimeSchedule, CronTriggerTimetable
from slac_airflow import LABELS, VALIDATED_LABELS, AnnounceAny, PlanSome, PlanToAsk, ask, ended, plan, slac
from slac_watch import alerts

with DAG(
    dag_id="check_labels",
    dag_display_name="5 · check_labels",
    description=__doc__.partition("\n")[0],
    schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable("30 5 * * *", timezone="UTC"), assets=[LABELS]),
    doc_md=__doc__,
    **alerts(hours=48),
    catchup=False,
    # Two, because a run that waits for a person is active, and only one ever waits. Labels that come while both are
    # active are judged by one run after them.
    max_active_runs=2,
    tags=["slac", "people"],
):
    # Beside the others: a hand-over of one category that is not what it should be holds up no other category.
    inspect = slac("inspect")
    changed = plan("judge", task_id="changed", kind=PlanSome)
    judge = slac("judge", each=changed)
    validate = slac("validate", trigger_rule="all_done")
    report = slac("report", trigger_rule="all_done")
    # Whatever became of the report: a release that was cut off goes on, as it would by a clock of its own.
    tell = plan("pretrain", task_id="announce", kind=AnnounceAny, asset=VALIDATED_LABELS, trigger_rule="all_done")
    refused = plan("check_labels", task_id="refused", kind=PlanToAsk)
    # Each answer comes in its own time, and what it lets into a release does not wait for the others.
    decision = ask(each=refused, asset=VALIDATED_LABELS)

    changed >> judge >> validate >> report >> tell
    report >> refused >> decision
    # `refused` skips all that comes after it, so the leaf that ends the run failed is none of that.
    [inspect, judge, validate, report, tell] >> ended()
