"""Release the validated labels, pretrain a video network on them, evaluate it, promote it, and let it find segments.

**Runs** when a release is due, or was begun and is not finished (asset `validated_labels`): `check_labels` asks daily
and with new labels. Also when a person has decided about a category, and by hand, with a form, for fewer labels too.
`slac show retraining` says why it is time, or not yet.

**Reads** `labels` with `label_changes`, their `quality`, `people` and `agreement`, `segment_labels`, `imported`,
`fetched`, `videos`, `clips`, `scores` and `features`, and renditions of training videos.
**Writes** `carried`, `control`, `corrections` and `accounts`, second answers wanted in the queue, `certificates`,
`gold_judges`, `release` with its exports, `released_videos`, `released_segments` and `release_versions`, `models`,
`judged`, `evaluations`, `committees` when the model is promoted, `detections`, and one event of the asset `videos` per
window that shall be scored again.

A release is due when `release.min_new_labels` new labels are waiting; where the last release is old
(`release.max_age_days`) or scores have drifted (`release.max_drift`), the share `release.due_share` of them is enough.

**Skips** every task after `plan` when no release is due; `rescore` when no window holds clips that want scores.

**Safe to run again**: a run that was cut off goes on with the same release.
"""

from airflow.sdk import DAG
from slac_airflow import VALIDATED_LABELS, VIDEOS, announce, plan, slac
from slac_forms import yes_field
from slac_watch import alerts

with DAG(
    dag_id="pretrain",
    dag_display_name="6 · pretrain",
    description=__doc__.partition("\n")[0],
    schedule=[VALIDATED_LABELS],
    doc_md=__doc__,
    **alerts(hours=168),
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

    todo >> carry >> certify >> release >> pretrain >> evaluate >> [promote, detect]
    promote >> rescore
