"""What each DAG has to do: items of work, each the keys of one task. Only what has no current dataset is handed on."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from slac_tasks import config
from slac_tasks.errors import WrongArguments
from slac_tasks.model import Split, Window, round_key
from slac_tasks.networks.committees import Panel, adopt_committees, committee_key, is_scored, panels_of
from slac_tasks.release.releasable import releasable
from slac_tasks.storage.datasets import (
    CANDIDATES,
    CLIPS,
    FETCHED,
    HARD_CLIPS,
    QUALITY,
    VIDEOS,
)
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification import label_studio
from slac_tasks.verification.versions import labels_manifest, newest, newest_labels

Item = dict[str, Any]

MOST_ITEMS = 1024
"""Airflow refuses to map a task over more."""


@dataclass(frozen=True, kw_only=True)
class Planner:
    """What a plan may look at."""

    settings: config.Config
    datasets: Datasets
    ledger: Ledger
    window: str | None = None
    only: tuple[str, ...] = ()
    """Categories to look at; empty means all."""
    stale: bool = False
    retry_drops: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @cached_property
    def categories(self) -> list[str]:
        """The registered categories that this plan looks at."""
        registered = [str(row["category"]) for row in self.ledger.rows("categories")]
        unknown = sorted(set(self.only) - set(registered))
        if unknown:
            raise WrongArguments(f"category {unknown[0]!r}: not registered, want one of {', '.join(registered)}")
        return [category for category in registered if not self.only or category in self.only]

    @cached_property
    def committee(self) -> str | None:
        """The current committee."""
        return adopt_committees(self.datasets, self.ledger)

    def need_window(self) -> str:
        """Return the window, which must have ended: an open one would be planned again and again."""
        if self.window is None:
            raise WrongArguments("plan: --window is missing")
        window = Window.parse(self.window)
        if window.end > self.now:
            raise WrongArguments(f"window {window}: ends {window.end:%Y-%m-%d}, want one that has ended")
        return str(window)

    def batches(self, categories: Iterable[str], **keys: Any) -> list[Item]:
        """Return items of a few categories each, with the other keys on every one."""
        found, size = sorted(categories), self.settings.batch_categories
        return [{"category": found[start : start + size], **keys} for start in range(0, len(found), size)]


def collect_videos(planner: Planner, window: str | None = None) -> list[Item]:
    """Categories that lack the videos of the window."""
    window = window or planner.need_window()
    made = {category: planner.datasets.manifest(VIDEOS, category=category, window=window)
            for category in planner.categories}  # fmt: skip
    missing = [category for category, manifest in made.items() if manifest is None]
    again = [
        category
        for category, manifest in made.items()
        if manifest is not None and (_retryable(planner, category, window) or _stale(planner, category, window))
    ]
    return planner.batches(missing, window=window) + planner.batches(again, window=window, remake=True)


def _retryable(planner: Planner, category: str, window: str) -> bool:
    """Whether fetch dropped something that a later try may get, and the caller wants it tried."""
    manifest = planner.datasets.manifest(FETCHED, category=category, window=window) if planner.retry_drops else None
    return manifest is not None and manifest.retryable > 0


def _stale(planner: Planner, category: str, window: str) -> bool:
    """Whether the fetched videos were made from older candidates or settings, and the caller wants those made again."""
    keys = {"category": category, "window": window}
    manifest = planner.datasets.manifest(FETCHED, **keys) if planner.stale else None
    if manifest is None:
        return False
    candidates = planner.datasets.need(CANDIDATES, **keys)
    made = manifest.made_from.get(candidates.address, "")
    settings = manifest.made_by.settings
    return not made.endswith(candidates.sha256) or settings != planner.settings.digest(tuple(settings))


def score_clips(planner: Planner) -> list[Item]:
    """Categories whose clips of the window some member of the committee has not scored.

    Without a window, all collected windows: those never scored, and those that the newest promotion names.
    """
    if planner.window is not None:
        return _score_window(planner, planner.need_window())
    windows = sorted({keys["window"] for keys in planner.datasets.partitions(VIDEOS)})
    promotion = planner.ledger.one("last_promotion")
    named = {str(window) for window in promotion["rescore"]} if promotion else set()
    mined = {(keys["category"], keys["round"].partition(".")[0]) for keys in planner.datasets.partitions(HARD_CLIPS)}
    found: list[Item] = []
    for window in windows:
        for item in _score_window(planner, window):
            wanted = [c for c in item["category"] if window in named or (c, window) not in mined]
            found += [{**item, "category": wanted}] if wanted else []
    return found


def _score_window(planner: Planner, window: str) -> list[Item]:
    collected = [
        category
        for category in planner.categories
        if (made := planner.datasets.manifest(VIDEOS, category=category, window=window)) is not None and made.rows
    ]
    parent = planner.committee
    panels = panels_of(planner.datasets, parent) if parent else {}
    # A category with nothing to learn from in this window waits for one that has training videos.
    uncovered = [c for c in collected if c not in panels and _has_training(planner, c, window)]
    todo = [c for c in collected if c in panels and not _is_scored(planner, panels[c], window)] + uncovered
    committee = committee_key(parent, window, tuple(uncovered)) if uncovered else parent
    return planner.batches(todo, window=window, committee=committee, parent=parent, uncovered=sorted(uncovered))


def _has_training(planner: Planner, category: str, window: str) -> bool:
    splits = planner.datasets.read(VIDEOS, ["split"], category=category, window=window)["split"].to_pylist()
    return Split.TRAINING.value in splits


def _is_scored(planner: Planner, panel: Panel, window: str) -> bool:
    clips = planner.datasets.manifest(CLIPS, category=panel.category, window=window)
    return clips is not None and is_scored(planner.datasets, panel, window)


def send_hard_clips(planner: Planner) -> list[Item]:
    """Rounds that every member has scored and nobody has mined, for categories whose queue runs low."""
    if planner.committee is None:
        return []
    mining = planner.settings.mining
    enough = mining.days_of_work * mining.clips_per_person_day
    waiting = {row["category"]: int(row["clips"]) for row in planner.ledger.rows("open_by_category")}
    queued = {(row["category"], row["round"]) for row in planner.ledger.rows("queued_rounds")}
    rounds: dict[str, list[str]] = {}
    for category, panel in panels_of(planner.datasets, planner.committee).items():
        if category not in planner.categories or waiting.get(category, 0) >= enough:
            continue
        for keys in planner.datasets.partitions(CLIPS, category=category):
            key = round_key(keys["window"], panel.name)
            mined = planner.datasets.manifest(HARD_CLIPS, category=category, round=key)
            published = mined is not None and (mined.rows == 0 or (category, key) in queued)
            if not published and is_scored(planner.datasets, panel, keys["window"]):
                rounds.setdefault(key, []).append(category)
    return [item for key in sorted(rounds) for item in planner.batches(rounds[key], round=key)]


def aggregate(planner: Planner) -> list[Item]:
    """The newest batch of votes, if it has not become labels."""
    batch = planner.ledger.one("last_batch")
    key = f"{batch['batch']:06d}" if batch else None
    if key is None or labels_manifest(planner.datasets, key) is not None:
        return []
    return [{"labels": key}]


def sync_verifications(planner: Planner) -> list[Item]:
    """One item if votes wait in the outbox or may wait elsewhere, or if the newest batch has not become labels."""
    if unfinished := aggregate(planner):
        return unfinished
    if planner.environ.get(label_studio.PROJECT):
        # Only sync itself can say whether there is something new.
        return [{"source": "label-studio"}]
    waiting = planner.ledger.one("outbox_size")
    return [{"votes": int(waiting["votes"])}] if waiting and waiting["votes"] else []


def check_labels(planner: Planner) -> list[Item]:
    """Refused categories that wait for a person's decision, one item each."""
    return [
        {"category": [row["category"]], "labels": row["labels"], "reasons": row["reasons"]}
        for row in planner.ledger.rows("undecided")
    ]


def pretrain(planner: Planner) -> list[Item]:
    """The release that is not finished, or a new one if enough validated labels are waiting."""
    unfinished = planner.ledger.rows("unfinished_releases")
    if unfinished:
        return [{"release": unfinished[0]["release"]}]
    judged = newest(planner.datasets, QUALITY)
    if judged is None:
        return []
    knobs = planner.settings.release
    if knobs.wait_for_queue and not _is_quiet(planner, judged):
        return []
    last = planner.ledger.one("last_release")
    held = int(last["label_count"]) if last else 0
    ordinal = int(last["ordinal"]) if last else 0
    if releasable(planner.datasets, planner.ledger, judged).num_rows - held < max(1, knobs.min_new_labels):
        return []
    return [{"release": f"r{ordinal + 1:04d}"}]


def _is_quiet(planner: Planner, judged: str) -> bool:
    """Whether every collected window is mined, every queued clip answered, and the newest labels judged."""
    if planner.committee is None or planner.ledger.rows("open_by_category"):
        return False
    if judged != newest_labels(planner.datasets) or send_hard_clips(planner) or sync_verifications(planner):
        return False
    panels = panels_of(planner.datasets, planner.committee)
    collected = {
        (keys["category"], keys["window"])
        for keys in planner.datasets.partitions(VIDEOS)
        if keys["category"] in panels and planner.datasets.need(VIDEOS, **keys).rows
    }
    mined = {(keys["category"], keys["round"].partition(".")[0]) for keys in planner.datasets.partitions(HARD_CLIPS)}
    return collected <= mined


def add_category(planner: Planner) -> list[Item]:
    """Every window that was collected for some category and lacks one of these."""
    windows = sorted({keys["window"] for keys in planner.datasets.partitions(VIDEOS)})
    return [item for window in windows for item in collect_videos(planner, window)]


PLANS: dict[str, Callable[[Planner], list[Item]]] = {
    plan.__name__: plan
    for plan in (
        collect_videos, score_clips, send_hard_clips, sync_verifications, aggregate, check_labels, pretrain,
        add_category,
    )
}  # fmt: skip
