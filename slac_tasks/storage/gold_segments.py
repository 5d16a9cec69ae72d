"""Known ends of segments, an object each, so that a ledger that is lost gets them back: `slac doctor --reconcile`.

    gold_segments/<segment_id>.json     {"start_sec": 12.5, "end_sec": 31.0}; two nulls: the action is not there

Whose word it is stands in the ledger alone: a person who is forgotten there is in no other place. Nothing that shows or
hands out segments reads these.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import PurePosixPath

from slac_tasks.storage import notes
from slac_tasks.storage.store import Store

FOLDER = "gold_segments"
ASKING = "segments"
"""Who asks about segments or says what is known of one has this alone (`Ledger.alone`), and so has a repair: each reads
before it writes, and what is known stands in the store and in the ledger."""


@dataclass(frozen=True, kw_only=True)
class GoldSegment:
    """A segment of which the ends are known."""

    segment_id: str
    start_sec: float | None
    """None: the action is not there."""
    end_sec: float | None


def put(store: Store, gold: GoldSegment) -> None:
    """Write what is known of a segment; what was known before is replaced."""
    ends = {name: value for name, value in asdict(gold).items() if name != "segment_id"}
    store.put(_name(gold.segment_id), json.dumps(ends).encode())


def delete(store: Store, segment_id: str) -> None:
    """Forget what is known of a segment."""
    store.delete(_name(segment_id))


def stored(store: Store) -> Iterator[GoldSegment]:
    """Yield every segment of which the ends are known.

    Raises:
        BrokenContract: an object is none.

    """
    for name in store.names(f"{FOLDER}/"):
        known = partial(GoldSegment, segment_id=PurePosixPath(name).stem)
        yield notes.decoded(name, store.get(name), known, "a known segment")


def _name(segment_id: str) -> str:
    return f"{FOLDER}/{segment_id}.json"
