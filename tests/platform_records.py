"""A platform as the ledger records it: datasets that exist by their record alone, and some that the store holds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from slac_tasks.admission.likeness.lookalikes import stored
from slac_tasks.config import Config
from slac_tasks.model import content_hash, panel_key
from slac_tasks.planning.items import Item
from slac_tasks.planning.planner import Planner
from slac_tasks.storage.datasets import COMMITTEES, SCORES
from slac_tasks.storage.datasets.scoring import CommitteeRow
from slac_tasks.storage.declarations import Dataset
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.records import Record, record
from slac_tasks.storage.tables import Datasets


def add_release(ledger: Ledger, *categories: str, release: str = "r0001") -> None:
    """Record a release of these categories, by default the first one."""
    ledger.run(
        "add_release", release=release, labels="000001", label_count=1, categories=list(categories), version="1.0.0",
        content="0", previous=None, added=1, changed=0, withdrawn=0, corrected=0,
        folder="release/v3/release=r0001/g0001",
        preview="[]",
    )  # fmt: skip


WEEKS = ["2026-01-05", "2026-01-12", "2026-01-19"]
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def handed(items: Iterable[Item]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return (windows, categories) of each item of a plan."""
    return [(item.window, item.category) for item in items]


KEYS = {"category": "judo", "window": WEEKS[0], "weights": "w1"}
"""Keys of scores."""


def write(
    store: FolderStore,
    *,
    dataset: Dataset[Any] = SCORES,
    keys: Mapping[str, str] = KEYS,
    rows: Iterable[Any] = (),
    **changes: Any,
) -> Manifest:
    """Write the next generation of a partition, by default without rows."""
    fields = {"stage": "test", "settings": {}, "made_from": {}, **changes}
    return Datasets(store).write(dataset, [dataset.table(rows)], keys=keys, **fields)


@dataclass(kw_only=True)
class Platform:
    """A ledger, and a store that holds committees and nothing else."""

    store: FolderStore
    ledger: Ledger
    committee: str | None = None
    weights: Mapping[str, list[str]] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    """Fields of the settings that have no defaults."""

    @property
    def settings(self) -> Config:
        return Config(**{"store_url": self.store.url, **self.fields})

    def planner(self, **fields: Any) -> Planner:
        given = {"environ": {}, "now": NOW, **fields}
        return Planner(settings=self.settings, datasets=Datasets(self.store), ledger=self.ledger, **given)

    def weeks(self, count: int) -> list[str]:
        return [str(date(2026, 1, 5) - timedelta(weeks=number)) for number in range(count)]

    def register(self, *categories: str) -> None:
        for category in categories:
            self.ledger.run("register_category", category=category, name=category, guideline=None)

    def seat(self, weights: Mapping[str, list[str]]) -> None:
        """Make a committee current: the weights of its members, by category."""
        self.committee, self.weights = "c" + content_hash(str(weights))[:8], weights
        rows = [
            CommitteeRow(
                member=f"member {place}", architecture="r2plus1d_18", category=category, backbone="b", head="h",
                output=0, weights=one, origin="bootstrap:2026-01-05",
            )
            for category, some in weights.items()
            for place, one in enumerate(some)
        ]  # fmt: skip
        Datasets(self.store).write(
            COMMITTEES, [COMMITTEES.table(rows)], keys={"committee": self.committee}, stage="bootstrap", settings={},
            made_from={},
        )  # fmt: skip

    def panel(self, category: str) -> str:
        """Return the name of the category's panel."""
        return panel_key(self.weights[category])

    def record(self, dataset: Dataset[Any], *, rows: int = 10, generation: int = 1, **keys: str) -> Record:
        (found,) = self.record_all(dataset, [keys], row_count=rows, generation=generation)
        return found

    def record_all(self, dataset: Dataset[Any], keys: Iterable[Mapping[str, str]], **changes: Any) -> list[Record]:
        """Record one generation for each of the keys."""
        found = []
        for one in keys:
            address = dataset.address(one)
            values: dict[str, Any] = {
                "address": address, "generation": 1, "row_count": 10, "dataset": dataset.name,
                "version": dataset.version, "keys": one, "dropped": {}, "contents": "rows", "retryable": 0,
                "made_from": {}, "settings": {},
                "written_at": NOW - timedelta(days=30), **changes,
            }  # fmt: skip
            values.setdefault("manifest_sha256", content_hash(address, str(values["generation"])))
            found.append(Record(**values))
        record(self.ledger, found)
        return found

    def admit(self, category: str, window: str, *, split: str) -> str:
        """Admit a video; return its id."""
        video = content_hash(category, window, split)
        self.ledger.run(
            "add_video",
            video_id=video,
            media_sha256=video * 4,
            group_id=video,
            split=split,
            proxy_256=None,
            **stored([]),
        )
        self.ledger.run(
            "add_admission", video_id=video, category=category, window=window, candidate_id=video, source="test",
            source_id=video, published_at=None,
        )  # fmt: skip
        return video

    def promote(self, *, rescore: list[str]) -> None:
        """Let a network join the committee, and windows be scored again."""
        add_release(self.ledger, "judo")
        self.ledger.run("add_promotion", release="r0001", committee=None, reason="better", rescore=rescore)

    def queue(self, category: str, round: str, *, clips: int = 1, state: str = "open") -> None:
        """Put clips of a round into the queue."""
        video = self.admit(category, round.partition(".")[0], split="training")
        with self.ledger._connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO queue (clip_id, category, video_id, round, strategy, start_sec, end_sec, split, proxy_256,"
                " votes_wanted, state) SELECT %s || n, %s, %s, %s, 'random', 0, 2, 'training', 'p', 2, %s"
                " FROM generate_series(1, %s) AS n",
                [f"{round}:", category, video, round, state, clips],
            )
