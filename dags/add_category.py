"""Register categories and collect their videos of every window that others have been collected in.

**Runs** by hand, with a form. Not through Airflow's backfill of `collect_videos`: on a partitioned DAG that either
skips every window that ever ran or makes all of them again, and it refuses a second one while the first runs. So the
same stages run here, on exactly the (category, window) pairs that lack a dataset. Before they do, the log of `plan`
says what they will take: videos, bytes, clips, seconds of each device that has scored, and people's hours.

A name gets its key; a name that no source offers ends the run at `register`, with what is close to it, and registers
nothing. An empty form ends there too, with what the sources offer that nobody has registered.

The form also bounds the past windows and the videos that may come of them, and says how precise the labels must be.
What is asked for stands in the ledger. `slac category pause`, `resume` and `cancel` change it, and the next form goes
on with what rests. `slac category show` says how far it is, and the weekly run of `collect_videos` goes on with it. A
window that failed holds up no other: clear its task alone.

**Reads** the sources. **Writes** the ledger's categories, `candidates`, `fetched` and `videos` of the new categories,
and one event of the asset `videos` per window, on which `score_clips` bootstraps and scores them.

**Skips** every task after `plan` when the categories have all their videos; `announce` when none has finished.

**Safe to run again**: only what is missing is made; other categories are not touched.
"""

from airflow.sdk import DAG
from slac_airflow import VIDEOS, announce, ended, plan, slac
from slac_forms import category_field, guideline_field, offered_field, wish_fields
from slac_watch import alerts

with DAG(
    dag_id="add_category",
    dag_display_name="7 · add_category",
    description=__doc__.partition("\n")[0],
    schedule=None,
    doc_md=__doc__,
    **alerts(hours=168),
    max_active_runs=1,
    params={
        "category": category_field("Names as people say them, one a line, in any script: Clean and jerk."),
        **offered_field(),
        "guideline": guideline_field(),
        **wish_fields(),
    },
    tags=["slac", "people"],
):
    register = slac("register", form=("category", "offered", "guideline", "from", "to", "videos", "floor"))
    todo = plan("add_category", form=("category",), estimate=True)
    discover = slac("discover", each=todo)
    fetch = slac("fetch", each=todo)
    deduplicate = slac("deduplicate", all_of=todo, trigger_rule="all_done")
    tell = announce(VIDEOS, "add_category", form=("category",), done=todo)

    register >> todo >> discover >> fetch >> deduplicate >> tell
    [discover, fetch, deduplicate, tell] >> ended()
