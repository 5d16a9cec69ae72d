"""What a plan may ask: the settings, the ledger, and the few datasets that are not answers of the ledger."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from slac_tasks import config
from slac_tasks.errors import NotConfigured, WrongArguments
from slac_tasks.model import Window
from slac_tasks.networks.committees import Panel, adopt_committees, panels_of
from slac_tasks.planning.backfills import Backfill, backfills
from slac_tasks.progress import counted
from slac_tasks.storage import records
from slac_tasks.storage.declarations import Dataset
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.registered import at_work, check_registered
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.versions import FORMS


@dataclass(frozen=True, kw_only=True)
class Planner:
    """One call of a plan."""

    settings: config.Config
    datasets: Datasets
    ledger: Ledger
    window: str | None = None
    only: tuple[str, ...] = ()
    """Categories to look at; empty means all."""
    score_with: str | None = None
    """The committee with which `score_again` scores."""
    first_window: str | None = None
    last_window: str | None = None
    """Bounds of the windows that `score_again` looks at, both within; None: no bound."""
    asked: Backfill | None = None
    """What is about to be asked of the past windows of a category that may not be registered yet."""
    stale: bool = False
    retry_drops: bool = False
    at_once: bool = False
    """A person asks for a release of whatever labels are new; for `pretrain`."""
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @cached_property
    def categories(self) -> list[str]:
        """The registered categories that this plan looks at; a retired one is none of them, also where it is named."""
        if self.asked:
            return [self.asked.category]
        check_registered(self.ledger, self.only)
        return [category for category in at_work(self.ledger) if not self.only or category in self.only]

    @cached_property
    def backfills(self) -> Mapping[str, Backfill]:
        """What is asked of the past windows of categories, where something is."""
        return backfills(self.ledger) | ({self.asked.category: self.asked} if self.asked else {})

    def rests(self, category: str, window: str) -> bool:
        """Return whether nothing shall be done now for a past window of a category."""
        return category in self.backfills and self.backfills[category].rests(window)

    @cached_property
    def committee(self) -> str | None:
        """The current committee."""
        return adopt_committees(self.datasets, self.ledger, self.settings.committee.members)

    @cached_property
    def panels(self) -> Mapping[str, Panel]:
        """The panel of every category that the current committee scores."""
        return panels_of(self.datasets, self.committee) if self.committee else {}

    def need_window(self) -> str:
        """Return the window, which must have ended: an open one would be planned again and again."""
        if self.window is None:
            raise WrongArguments(
                "--window: is missing, want the Monday on which the week starts, such as 2026-01-05; of a run that is "
                "started in Airflow it is the partition key"
            )
        window = Window.parse(self.window)
        window.need_ended(self.now)
        return str(window)

    @cached_property
    def known(self) -> Ledger:
        """The ledger, once it knows every dataset.

        Raises:
            NotConfigured: it was upgraded from a version that did not record them whole, or over versions between.

        """
        records.absorb(self.datasets.store, self.ledger)
        (row,) = self.ledger.rows("unknown_datasets")
        if row["generations"]:
            raise NotConfigured(
                f"ledger: knows {counted(row['generations'], 'dataset')} by address alone, since an older version "
                "recorded them; run `slac doctor --reconcile` once"
            )
        records.check_readable(self.ledger)
        return self.ledger

    @property
    def is_newest_window(self) -> bool:
        """Whether the plan's window is the newest that has ended: its run takes up past windows too."""
        return Window.parse(self.need_window()).end > self.now - timedelta(days=7)

    @property
    def drops_before(self) -> datetime:
        """What was dropped before this moment may be tried again."""
        wait = 0.0 if self.retry_drops else self.settings.fetch.retry_drops_after_days
        return self.now - timedelta(days=wait)

    def outdated(self, *of: Dataset[Any], window: str | None = None) -> list[tuple[str, Mapping[str, str]]]:
        """Return (dataset, keys) of the partitions whose inputs hold other rows than those that they were made from."""
        rows = self.known.rows("outdated", datasets=[dataset.name for dataset in of], window=window)
        return [(str(row["dataset"]), row["keys"]) for row in rows]

    def current(self, dataset: Dataset[Any], window: str | None = None) -> list[records.Current]:
        """Return the current generation of every partition of `dataset`, or of those of one window."""
        return records.current(self.known, dataset, window=window)

    def row_counts(self, dataset: Dataset[Any], window: str | None = None) -> dict[tuple[str, str], int]:
        """Return the number of rows of each (category, window), of the plan's categories."""
        wanted = set(self.categories)
        return {
            (one.keys["category"], one.keys["window"]): one.row_count
            for one in self.current(dataset, window)
            if one.keys["category"] in wanted
        }

    def newest_labels(self, *of: Dataset[Any]) -> str | None:
        """Return the newest version of the labels, if any; given datasets, the newest that one of them has."""
        (row,) = self.known.rows("newest_labels", datasets=[dataset.name for dataset in of or FORMS], before=None)
        return None if row["labels"] is None else str(row["labels"])
