"""Release the validated labels, pretrain a video network on them, evaluate it, promote it, and let it find segments.

**Runs** daily, and when labels have been validated that the last release lacks (asset
`validated_labels`); by hand, with a form, also for fewer labels. `plan` decides whether it is time, and says why: in
its log and by `slac show retraining`.

**Reads** `labels` with `label_changes`, their `quality`, `people` and `agreement`, `segment_labels`, `imported`,
`fetched`, `videos`, `clips`, `scores` and `features`, and renditions of training videos.
**Writes** `carried`, `control`, `corrections` and `accounts`, second answers wanted in the queue, `certificates`,
`gold_judges`, `release` with its exports, `released_videos`, `released_segments` and `release_versions`, `models`,
`judged`, `evaluations`, `committees` when the model is promoted, `detections`, and one event of the asset `videos` per
window that shall be scored again.

**Skips** every task after `plan` while fewer new labels than `release.min_new_labels` are waiting; where the last
release is old (`release.max_age_days`) or scores have drifted (`release.max_drift`), the share `release.due_share` of
them is enough. Skips `rescore` when no window holds clips that want scores.

**Safe to run again**: a run that was cut off goes on with the same release.
"""

from airflow.sdk import DAG, AssetOrTimeSchedule, CronTriggerTimetable
from slac_airflow import VALIDATED_LABELS, VIDEOS, announce, plan, slac
from slac_forms import yes_field
from slac_watch import alerts

with DAG(
    dag_id="pretrain",
    dag_display_name="6 · pretrain",
    description=__doc__.partition("\n")[0],
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("0 6 * * *", timezone="UTC"), assets=[VALIDATED_LABELS]
    ),
    doc_md=__doc__,
    **alerts(hours=168),
    catchup=False,
    max_active_runs=1,
    params={"at-once": yes_field("Release at once", "Release whatever labels are new, however few they are.")},
    tags=["slac", "gpu"],
):
    todo = plan("pretrain", form=("at-once",))
    carry = slac("carry", all_of=todo)
    certify = slac("certify", all_of=todo)
    release = slac("release", all_of=todo)
    pretrain = slac("pretrain", all_of=todo)
    evaluate = slac("evaluate", all_of=todo)
    promote = slac("promote", all_of=todo)
    detect = slac("detect", all_of=todo)
    rescore = announce(VIDEOS, "score_clips", task_id="rescore")

    todo >> carry >> certify >> release >> pretrain >> evaluate >> [promote, detect] >> rescore
