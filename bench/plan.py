"""What a plan costs on a platform that has collected for years: `python -m bench.plan [--quick]`.

The ledger records 200 categories x 100 windows with the scores of 3 members, and all rounds are mined and queued. The
store counts the calls that it gets; a listing counts once for each page of 1,000 names. Planned: `collect_videos` of
the newest window, `score_clips` over all windows, and `send_hard_clips`. First nothing is left to do; then the scores
of one member for one window of one category are missing. The last line is one JSON object.

Figures: `store_calls` and `seconds` of the three plans together when all is finished, `store_calls_one` and
`seconds_one` with one partition unfinished.

Full scale (scale 1.0): 200 categories, 100 windows, 3 members.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import psycopg2.extras

from bench.harness import Bench, Figures
from bench.harness.places import ledger, postgres
from bench.harness.tables import table
from slac_tasks.config import Config
from slac_tasks.model import content_hash, panel_key, round_key
from slac_tasks.planning.items import Item
from slac_tasks.planning.planner import Planner
from slac_tasks.planning.plans import PLANS
from slac_tasks.storage.datasets import CANDIDATES, CLIPS, COMMITTEES, FETCHED, HARD_CLIPS, SCORES, VIDEOS
from slac_tasks.storage.datasets.scoring import CommitteeRow
from slac_tasks.storage.declarations import Dataset
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.records import Record, record
from slac_tasks.storage.tables import Datasets

PAGE = 1_000
"""Names that an S3 server lists in one answer."""
PLANNED = ("collect_videos", "score_clips", "send_hard_clips")
NOW = datetime(2026, 7, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is recorded."""

    categories: Annotated[int, "registered categories"] = 200
    windows: Annotated[int, "collected windows"] = 100
    members: Annotated[int, "members of the committee"] = 3
    clips: Annotated[int, "queued clips of a round"] = 10


class Counted(FolderStore):
    """A store that counts its calls."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.calls = 0

    def put(self, name: str, data: bytes) -> None:
        """Write, counted."""
        self.calls += 1
        super().put(name, data)

    def create(self, name: str, data: bytes) -> bool:
        """Write, counted."""
        self.calls += 1
        return super().create(name, data)

    def get(self, name: str) -> bytes:
        """Read, counted."""
        self.calls += 1
        return super().get(name)

    def exists(self, name: str) -> bool:
        """Look, counted."""
        self.calls += 1
        return super().exists(name)

    def names(self, prefix: str) -> Iterator[str]:
        """List, counted by page."""
        found = list(super().names(prefix))
        self.calls += max(1, -(-len(found) // PAGE))
        yield from found

    def delete(self, name: str) -> None:
        """Remove, counted."""
        self.calls += 1
        super().delete(name)


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A ledger and a store in which everything is finished."""

    size: Size
    store: Counted
    ledger: Ledger

    @property
    def categories(self) -> list[str]:
        """The registered categories."""
        return [f"category_{number:03d}" for number in range(self.size.categories)]

    @property
    def windows(self) -> list[str]:
        """The collected windows, newest first."""
        newest = date(2026, 6, 1)
        return [str(newest - timedelta(weeks=number)) for number in range(self.size.windows)]

    def weights(self, category: str) -> list[str]:
        """The weights of the members that score a category."""
        return [content_hash(category, str(member)) for member in range(self.size.members)]

    def fill(self) -> None:
        """Register the categories, write the committee, and record and queue everything."""
        for category in self.categories:
            self.ledger.run("register_category", category=category, name=category, guideline=None)
        rows = [
            CommitteeRow(
                member=f"member {place}", architecture="r2plus1d_18", category=category, backbone="b", head="h",
                output=0, weights=weights, origin="bootstrap:2026-01-05",
            )
            for category in self.categories
            for place, weights in enumerate(self.weights(category))
        ]  # fmt: skip
        Datasets(self.store).write(
            COMMITTEES, [COMMITTEES.table(rows)], keys={"committee": "c0000abcd"}, stage="bootstrap", settings={},
            made_from={},
        )  # fmt: skip
        record(self.ledger, self.records())
        self._queue()

    def records(self) -> Iterator[Record]:
        """Yield what the ledger records: every partition of every category and window, and the rounds."""
        settings = {"collect": Config(store_url="s3://bucket").digest(("collect",))["collect"]}
        for category in self.categories:
            for window in self.windows:
                keys = {"category": category, "window": window}
                candidates = _record(CANDIDATES, keys)
                fetched = _record(FETCHED, keys, candidates, settings=settings)
                videos = _record(VIDEOS, keys, fetched)
                clips = _record(CLIPS, keys, videos)
                scores = [_record(SCORES, {**keys, "weights": weights}, clips) for weights in self.weights(category)]
                yield from (candidates, fetched, videos, clips, *scores)
                yield _record(HARD_CLIPS, {"category": category, "round": self.round(category, window)}, *scores)

    def round(self, category: str, window: str) -> str:
        """The round of a category's window."""
        return round_key(window, panel_key(self.weights(category)))

    def _queue(self) -> None:
        """Queue the clips of every round, all of them answered."""
        with self.ledger.transaction(), self.ledger._connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO videos (video_id, media_sha256, group_id, split, frame_hashes)"
                " VALUES ('v', 'v', 'v', 'training', '{}')"
            )
            psycopg2.extras.execute_values(
                cursor,
                "INSERT INTO queue (clip_id, category, video_id, round, strategy, start_sec, end_sec, split, proxy_256,"
                " votes_wanted, state)"
                " SELECT r.round || ':' || n, r.category, 'v', r.round, 'random', 0, 2, 'training', 'p', 2, 'finished'"
                " FROM (VALUES %s) AS r (category, round, clips), generate_series(1, r.clips) AS n",
                [
                    (category, self.round(category, window), self.size.clips)
                    for category in self.categories
                    for window in self.windows
                ],
                page_size=5_000,
            )
        with self.ledger._connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    def lose_one(self) -> None:
        """Forget the scores of one member for one window of one category, and the round that was mined from them."""
        category, window = self.categories[0], self.windows[0]
        lost = [
            SCORES.address({"category": category, "window": window, "weights": self.weights(category)[0]}),
            HARD_CLIPS.address({"category": category, "round": self.round(category, window)}),
        ]
        with self.ledger._connection.cursor() as cursor:
            cursor.execute("DELETE FROM datasets WHERE address = ANY(%s)", [lost])

    def plan(self, dag: str) -> list[Item]:
        """Return what a DAG has to do."""
        planner = Planner(
            settings=Config(store_url=self.store.url), datasets=Datasets(self.store), ledger=self.ledger, environ={},
            window=self.windows[0] if dag == "collect_videos" else None, now=NOW,
        )  # fmt: skip
        return PLANS[dag](planner)

    def measure(self) -> tuple[dict[str, int], dict[str, tuple[int, float]]]:
        """Return (items of each plan; (store calls, seconds) of each plan)."""
        items, costs = {}, {}
        for dag in PLANNED:
            self.store.calls, began = 0, time.perf_counter()
            items[dag] = len(self.plan(dag))
            costs[dag] = (self.store.calls, time.perf_counter() - began)
        return items, costs


def _record(
    dataset: Dataset[Any], keys: dict[str, str], *inputs: Record, settings: dict[str, Any] | None = None
) -> Record:
    address = dataset.address(keys)
    return Record(
        address=address, generation=1, manifest_sha256=content_hash(address), row_count=100, dataset=dataset.name,
        version=dataset.version, keys=keys, dropped={}, contents="0", retryable=0, settings=settings or {},
        written_at=NOW, made_from={one.address: f"g0001:{one.manifest_sha256}" for one in inputs},
    )  # fmt: skip


def measure(size: Size, folder: Path) -> Figures:
    """Plan on a full platform, twice."""
    with postgres(folder) as server:
        ours = Ledger(ledger(server))
        platform = Platform(size=size, store=Counted(folder / "store"), ledger=ours)
        platform.fill()
        platform.plan("collect_videos")  # the committee is adopted
        items, finished = platform.measure()
        platform.lose_one()
        items_one, one = platform.measure()
        ours.close()
    heads = {"plan": "", "items": "d", "calls": "d", "seconds": ".2f", "items, one": "d", "calls, one": "d",
             "seconds, one": ".2f"}  # fmt: skip
    print(table(heads, [[dag, items[dag], *finished[dag], items_one[dag], *one[dag]] for dag in PLANNED]))
    if (sum(items.values()), items_one["score_clips"], sum(items_one.values())) != (0, 1, 1):
        raise RuntimeError(f"planned {items}, then {items_one}; want nothing, then one item of score_clips")
    return {
        "store_calls": sum(calls for calls, _ in finished.values()),
        "seconds": sum(seconds for _, seconds in finished.values()),
        "store_calls_one": sum(calls for calls, _ in one.values()),
        "seconds_one": sum(seconds for _, seconds in one.values()),
        "scale": size.categories * size.windows * size.members / (200 * 100 * 3),
    }


BENCH = Bench(
    name="plan", doc=__doc__, measure=measure, full=Size(), quick=Size(windows=50),
    tiny=Size(categories=3, windows=4, members=2, clips=1),
)  # fmt: skip


if __name__ == "__main__":
    sys.exit(BENCH.main())
