"""Score clips of past windows with a committee that is not the one of today.

**Runs** by hand, with a form: which committee, for which categories, and over which windows. The log of `plan` says
before what it takes, by the measured rate of each device. `slac plan --for score_again --estimate` says the same.

**Reads** `clips` and `committees`. **Writes** `scores` and `features` under the weights of that committee; scores of
other weights are not touched, and the current committee stays the current one.

**Skips** every task after `plan` when these clips have all their scores.

**Safe to run again**: what is scored stays. A window that failed holds up no other: clear its task alone.
"""

from airflow.sdk import DAG
from slac_airflow import ended, plan, slac
from slac_forms import category_field, past_fields, text_field
from slac_watch import alerts

with DAG(
    dag_id="score_again",
    dag_display_name="9 · score_again",
    description=__doc__.partition("\n")[0],
    schedule=None,
    doc_md=__doc__,
    **alerts(hours=168),
    max_active_runs=1,
    params={
        "category": category_field("Only these; none means all that the committee scores."),
        "committee": text_field("Committee", "Its id, such as c1a2b3c4: `slac show committees` lists them."),
        **past_fields(),
    },
    tags=["slac", "gpu"],
):
    todo = plan("score_again", form=("category", "committee", "from", "to"), estimate=True)
    score = slac("score", each=todo)

    todo >> score >> ended()
