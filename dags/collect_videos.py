"""Find, fetch and admit the videos of one week.

**Runs** weekly, one partition per window: the key is the Monday (UTC) on which the week starts, and the run starts when
the week has ended. Past windows: *Backfill* in the UI, or `airflow backfill create`. By hand one window, which is the
partition key.

The run of the newest window also takes up past windows: drops that a later try may get (`fetch.retry_drops_after_days`,
`fetch.retry_drops_times`), and what was made from datasets that have been made again since. The log of `plan` says what
all of it will take.

**Reads** the sources that the settings name. **Writes** the datasets `candidates`, `fetched` and `videos` of every
category, renditions under `media/`, and the ledger's admissions.

**Skips** every task after `plan` when no category lacks its videos of this window and nothing is to be done again;
`announce` when no category has finished.

**Safe to run again**: a finished dataset is left as it is. A category that failed holds up no other; the run ends
failed, the others are announced, and a cleared run works only on what is missing.
"""

from airflow.sdk import DAG, CronPartitionTimetable
from slac_airflow import VIDEOS, WINDOW, announce, ended, plan, slac
from slac_forms import category_field
from slac_watch import alerts

with DAG(
    dag_id="collect_videos",
    dag_display_name="1 · collect_videos",
    description=__doc__.partition("\n")[0],
    schedule=CronPartitionTimetable("0 0 * * 1", timezone="UTC", run_offset=-1, key_format="%Y-%m-%d"),
    doc_md=__doc__,
    **alerts(hours=48),
    max_active_runs=4,
    params={"category": category_field("Only these, by key or name, one a line; none means all.")},
    tags=["slac", "window"],
):
    todo = plan("collect_videos", window=WINDOW, form=("category",), estimate=True)
    discover = slac("discover", each=todo)
    fetch = slac("fetch", each=todo)
    # One task over all categories, window after window: the first to admit a video owns it.
    deduplicate = slac("deduplicate", all_of=todo, trigger_rule="all_done")
    tell = announce(VIDEOS, "collect_videos", window=WINDOW, form=("category",), done=todo)

    todo >> discover >> fetch >> deduplicate >> tell
    [discover, fetch, deduplicate, tell] >> ended()
