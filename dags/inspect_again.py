"""Judge hand-overs that were judged before by the expectations of today, such as old releases by a new suite.

**Runs** by hand, with a form: a dataset, or one of its hand-overs. `slac inspect --judged release --estimate` says
before how many rows that are.

**Reads** `candidates`, `fetched`, `videos`, `clips`, `scores`, `features`, `hard_clips`, `votes`, `labels` with
`label_changes`, `segment_votes`, `segment_labels`, `release` and `detections`. **Writes** `expectations`, a generation
more of each hand-over that is judged again.

**Skips** nothing: without a dataset only what is new is judged.

**Safe to run again**: it judges again, and finds the same.
"""

from airflow.sdk import DAG
from slac_airflow import slac
from slac_forms import text_field
from slac_watch import alerts

with DAG(
    dag_id="inspect_again",
    dag_display_name="9 · inspect_again",
    description=__doc__.partition("\n")[0],
    schedule=None,
    doc_md=__doc__,
    **alerts(hours=48),
    max_active_runs=1,
    params={"judged": text_field("What", "A dataset, such as release, or one hand-over of it, such as release/r0001.")},
    tags=["slac"],
):
    inspect = slac("inspect", form=("judged",))
