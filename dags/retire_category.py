"""Retire categories: they are collected, scored, asked, judged and released no more.

**Runs** by hand, with a form.

**Reads** nothing. **Writes** the ledger: when a category was retired, by whom and why. What was made of it stays, and
answers to clips that people have in their hands are still taken. `slac retire --undo` takes it up again.

**Skips** nothing.

**Safe to run again**: a category that is retired is left as it is. No other category is touched.
"""

from airflow.sdk import DAG
from slac_airflow import slac
from slac_forms import category_field, reason_field

with DAG(
    dag_id="retire_category",
    dag_display_name="8 · retire_category",
    description=__doc__.partition("\n")[0],
    schedule=None,
    doc_md=__doc__,
    params={
        "category": category_field("Names or keys, one a line."),
        "reason": reason_field("Why; stored with the decision."),
    },
    tags=["slac", "people"],
):
    retire = slac("retire", form=("category", "reason", "person"))
