"""Votes, rulings and asked clips as the ledger holds them, as columns. A clip here is a (clip_id, category).

Everything is "up to a batch": a vote or a ruling that is in a later batch, or in none yet, is not seen. So what is read
for a version of the labels does not depend on when it is read.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from slac_tasks.storage.datasets import LABELS, VOTES
from slac_tasks.storage.ledger import Ledger
from slac_tasks.verification.ballots import VOTE

CLIPS = pa.schema([LABELS.schema.field(name) for name in ("clip_id", "category")])
"""Columns of a table of clips."""

VOTED = pa.schema([VOTES.schema.field(name) for name in (*VOTE, "seconds")])
"""Columns of a table of votes."""

QUEUED = pa.schema(
    [
        *(LABELS.schema.field(name) for name in ("clip_id", "category", "video_id", "start_sec", "end_sec", "split")),
        *(LABELS.schema.field(name) for name in ("round", "strategy")),
        pa.field("votes_wanted", pa.int64(), nullable=False),
        pa.field("votes_first", pa.int64(), nullable=False),
        pa.field("state", pa.string(), nullable=False),
        pa.field("again", pa.bool_(), nullable=False),
        pa.field("lead", pa.int64(), nullable=False),
        pa.field("audit_share", pa.float64()),
        pa.field("withdrawn", pa.bool_(), nullable=False),
        pa.field("given", pa.int64(), nullable=False),
    ]
)
"""Columns of a table of asked clips. `withdrawn`: the clip's video was; `given`: answers, corrections not counted;
`votes_first`: answers wanted before anything is decided; `again`: one more is wanted although the label stands;
`lead`: by how many answers one side must lead; `audit_share`: which share of the chosen clips was audited when it was
queued; null: nobody kept it."""

RULED = CLIPS.append(pa.field("answer", pa.string(), nullable=False))
"""Columns of a table of clips that leads settled."""

_CLIPS_AT_ONCE = 20_000
"""Clips that one statement names."""


def clips_with_votes(ledger: Ledger, *, after: int, until: int) -> pa.Table:
    """Return the clips on which the batches after one and up to another hold votes."""
    return _table(CLIPS, ledger.columns("clips_voted_on", after=after, until=until))


def clips_of_people(ledger: Ledger, people: Iterable[str], *, until: int) -> pa.Table:
    """Return the clips on which these people have voted."""
    return _table(CLIPS, ledger.columns("clips_of_people", people=sorted(people), until=until))


def clips_of_videos(ledger: Ledger, videos: Iterable[str], *, until: int) -> pa.Table:
    """Return the clips of these videos that have votes."""
    return _table(CLIPS, ledger.columns("clips_of_videos", videos=sorted(videos), until=until))


def clips_ruled_on(ledger: Ledger, *, after: int, until: int) -> pa.Table:
    """Return the clips on whose labels a lead ruled with the batches after one and up to another."""
    return _table(CLIPS, ledger.columns("clips_ruled_on", after=after, until=until))


def rulings_on(ledger: Ledger, category: str, *, until: int) -> pa.Table:
    """Return what leads settled of the clips of a category, without what they sent back later."""
    return _table(RULED, ledger.columns("rulings_until", category=category, until=until))


def votes_on(ledger: Ledger, clips: pa.Table, *, until: int) -> pa.Table:
    """Return all votes on these clips."""
    return _on(VOTED, ledger, "votes_on_clips", clips, until)


def votes_in(ledger: Ledger, category: str, *, until: int) -> pa.Table:
    """Return all votes on the clips of a category, without those on withdrawn videos."""
    return _table(VOTED, ledger.columns("votes_in_category", category=category, until=until))


def queued(ledger: Ledger, clips: pa.Table, *, until: int) -> pa.Table:
    """Return what the queue holds of these clips."""
    return _on(QUEUED, ledger, "queued_on_clips", clips, until)


def queued_in(ledger: Ledger, category: str, *, until: int) -> pa.Table:
    """Return what the queue holds of the clips of a category that have votes, without withdrawn videos."""
    return _table(QUEUED, ledger.columns("queued_in_category", category=category, until=until))


def _on(schema: pa.Schema, ledger: Ledger, query: str, clips: pa.Table, until: int) -> pa.Table:
    """Return what a query that is given clips finds of all of these."""
    tables = [schema.empty_table()]
    for start in range(0, clips.num_rows, _CLIPS_AT_ONCE):
        some = clips.slice(start, _CLIPS_AT_ONCE)
        clip_ids, categories = some["clip_id"].to_pylist(), some["category"].to_pylist()
        tables.append(_table(schema, ledger.columns(query, clip_ids=clip_ids, categories=categories, until=until)))
    return pa.concat_tables(tables)


def _table(schema: pa.Schema, parts: Iterator[dict[str, tuple[Any, ...]]]) -> pa.Table:
    """Return what a query found as one table with these columns."""
    tables = [schema.empty_table(), *(pa.Table.from_pydict(part, schema=schema) for part in parts)]
    return pa.concat_tables(tables)
