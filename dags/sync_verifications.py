"""Collect people's new answers and turn them into labels.

**Runs** when answers wait (asset `answers`): `look_for_answers` looks every five minutes.

**Reads** the ledger's outboxes of votes, `hard_clips` with their scores, and what older `people` says of those who
voted.
**Writes** `votes`, one batch per run that found any, and a new version of the labels per batch: `label_changes`, or now
and then the whole table, `labels`, and beside it, under a method that learns, `crowd`; of votes about segments
`segment_votes`, and from them `segment_labels` and `segment_people`.

**Skips** `aggregate` and `announce` when `sync` found nothing new. `announce` tells `check_labels` nothing while queued
clips have no label yet and the last verdicts are young (`judge_pause_min`).

**When Label Studio is away**, `sync` fails after it has written the votes of the review page; they become labels, and
the run ends failed.

**Safe to run again**: a vote is in exactly one batch, and a batch that was cut off is written first.
"""

from airflow.sdk import DAG
from slac_airflow import ANSWERS, LABELS, AnnounceAny, ended, plan, slac
from slac_watch import alerts

with DAG(
    dag_id="sync_verifications",
    dag_display_name="4 · sync_verifications",
    description=__doc__.partition("\n")[0],
    schedule=[ANSWERS],
    doc_md=__doc__,
    **alerts(hours=24),
    max_active_runs=1,
    tags=["slac", "people"],
):
    sync = slac("sync")
    # Another system that is away fails `sync` once the votes of the review page are written: they become labels.
    batch = plan("aggregate", task_id="batch", trigger_rule="all_done")
    aggregate = slac("aggregate")
    tell = plan("labels_due", task_id="announce", kind=AnnounceAny, asset=LABELS)

    sync >> batch >> aggregate >> tell
    [sync, batch, aggregate, tell] >> ended()
