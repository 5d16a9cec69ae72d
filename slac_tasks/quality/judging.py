"""Measuring categories: which ones have changed since they were measured, and their measures at a version.

The labels of a category are measured when they have changed: at later versions its measures stand. So the cost grows
with the change. What else they rest on is compared as well: the settings, the control of the other kinds, and gold.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.admission.withdrawals import tombstones
from slac_tasks.config import Config
from slac_tasks.job import Job, do_each
from slac_tasks.model import Answer, content_hash, parse_clip_id
from slac_tasks.procedure import STAGES
from slac_tasks.quality.gate import Evidence, measures
from slac_tasks.quality.precision import judged_clips
from slac_tasks.storage.datasets import CONTROL, MEASURES
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.ballots import read_ballots
from slac_tasks.verification.control import GOLD
from slac_tasks.verification.queue import lots
from slac_tasks.verification.versions import label_tables, need_labels, pieces
from slac_tasks.verification.votes import queued_in, votes_in

_LABELS = ("clip_id", "category", "video_id", "strategy", "status", "label", "first_two_agree")
_CONTROL = ("clip_id", "category", "kind", "label", "truth", "weight")
_GOLD_OF = "gold of the category"
"""Name of the hash of a category's gold among what its measures were made from."""
_FLOOR_OF = "floor of the category"
"""Name of the precision that was asked of it when it was added, where one was."""


@dataclass(frozen=True, kw_only=True)
class Judging:
    """A version of the labels, with all that categories are judged by."""

    config: Config
    datasets: Datasets
    ledger: Ledger
    version: str

    @classmethod
    def of(cls, job: Job, version: str) -> "Judging":
        """Return the judging of a version in a stage."""
        return cls(config=job.config, datasets=job.datasets, ledger=job.ledger, version=version)

    @cached_property
    def inputs(self) -> Sequence[Manifest]:
        """The version, and the newest control of the labels of other kinds where there is one."""
        (found,) = self.ledger.rows("newest_labels", datasets=[CONTROL.name], before=None)
        control = [] if found["labels"] is None else [self.datasets.need(CONTROL, labels=found["labels"])]
        return [need_labels(self.datasets, self.version), *control]

    @cached_property
    def gold(self) -> Mapping[str, Mapping[str, bool]]:
        """By category and clip: whether an expert saw the action; without withdrawn videos."""
        gone = tombstones(self.ledger)
        found: dict[str, dict[str, bool]] = {}
        for row in self.ledger.rows("known_answers"):
            if row["purpose"] == GOLD and parse_clip_id(row["clip_id"])[0] not in gone:
                found.setdefault(row["category"], {})[row["clip_id"]] = row["answer"] == Answer.YES
        return found

    def gold_hash(self, category: str) -> str:
        """Return what names the gold of a category."""
        return content_hash(*(f"{clip} {yes}" for clip, yes in sorted(self.gold.get(category, {}).items())))

    @cached_property
    def floors(self) -> Mapping[str, float]:
        """By category: the precision that was asked of it when it was added, where one was."""
        rows = self.ledger.rows("category_plans")
        return {row["category"]: row["floor"] for row in rows if row["floor"] is not None}

    def made_with(self, category: str) -> Mapping[str, str]:
        """Return what a category is measured with that no dataset holds, by name."""
        floor = {_FLOOR_OF: str(self.floors[category])} if category in self.floors else {}
        return {_GOLD_OF: self.gold_hash(category), **floor}

    @cached_property
    def measured(self) -> Mapping[str, str]:
        """By category: the version at which its measures were made that stand at this one."""
        return {category: labels for category, labels in self._standing.items() if labels is not None}

    @cached_property
    def changed(self) -> Sequence[str]:
        """Categories that are to be measured at this version, in order."""
        return sorted(category for category, labels in self._standing.items() if labels is None)

    def afterwards(self) -> "Judging":
        """Return the same once categories were measured: with the gold, the floors and the control of before.

        What has come since is a reason to measure a category again, and none to take its measures away.
        """
        later = replace(self)
        vars(later).update(inputs=self.inputs, gold=self.gold, floors=self.floors)
        return later

    @cached_property
    def _standing(self) -> Mapping[str, str | None]:
        """By category with labels that is not retired: the version whose measures stand; None: it is to be measured."""
        found = {
            row["category"]: row
            for row in self.ledger.rows("newest_measures", versions=list(MEASURES.readable), until=self.version)
        }
        registered = {str(row["category"]): row["retired_at"] for row in self.ledger.rows("categories")}
        retired = {category for category, since in registered.items() if since is not None}
        parts = pieces(self.datasets, self.inputs[0])
        oldest = min((found[one]["labels"] if one in found else "" for one in registered.keys() - retired), default="")
        later = [part for part in parts if part.keys["labels"] > oldest]
        changes = [(part.keys["labels"], self._categories(part)) for part in later]
        marks = {part.address: (part.keys["labels"], part.mark) for part in parts}
        settings = self.config.digest(STAGES["judge"].writes[MEASURES.name])
        wanted = {one.address: one.mark for one in self.inputs[1:]}
        standing: dict[str, str | None] = {}
        for category in set(found).union(*(some for _, some in changes)) - retired:
            row = found.get(category)
            stands = (
                row is not None
                and row["settings"] == settings
                and any(row["made_from"].get(at) == mark for at, (of, mark) in marks.items() if of == row["labels"])
                and not any(of > row["labels"] and category in some for of, some in changes)
                and wanted.items() <= row["made_from"].items()
                and {name: row["made_from"][name] for name in (_GOLD_OF, _FLOOR_OF) if name in row["made_from"]}
                == self.made_with(category)
            )
            standing[category] = row["labels"] if row is not None and stands else None
        return standing

    def _categories(self, part: Manifest) -> set[str]:
        """Return the categories of which a piece of a version holds rows."""
        return {
            str(category)
            for table in self.datasets.tables(part, ["category"])
            for category in pc.unique(table["category"]).to_pylist()
        }

    def evidence(self, categories: Collection[str]) -> Mapping[str, Evidence]:
        """Return what is known of the labels of these categories. The labels are read once."""
        some = pa.array(sorted(categories), pa.string())
        tables = (
            table.filter(pc.is_in(table["category"], value_set=some))
            for table in label_tables(self.datasets, self.version, _LABELS)
        )
        labels = pd.concat([table.to_pandas() for table in tables] or [pd.DataFrame(columns=list(_LABELS))])
        control = self.datasets.read_all(CONTROL, self.inputs[1:], _CONTROL).to_pandas()
        return {
            category: self._evidence(
                category, labels[labels["category"] == category], control[control["category"] == category]
            )
            for category in categories
        }

    def _evidence(self, category: str, labels: pd.DataFrame, control: pd.DataFrame) -> Evidence:
        until, review = int(self.version), self.config.review
        queued = queued_in(self.ledger, category, until=until)
        ballots = read_ballots(votes_in(self.ledger, category, until=until))
        chances = lots(queued["audit_share"].fill_null(np.nan).to_numpy(), review)
        of_clip = pd.Series(chances, index=queued["clip_id"].to_pylist(), dtype=float)
        return Evidence(
            category=category,
            labels=labels.assign(audit_share=labels["clip_id"].map(of_clip)),
            judged=judged_clips(ballots, queued, self.gold.get(category, {}), review),
            control=control,
            floor=self.floors.get(category),
        )


def judge(job: Job, judging: Judging, categories: Sequence[str]) -> None:
    """Measure categories at a version of the labels; one that fails does not hold up the others.

    Raises:
        Exception: at the end, the failure of one of them.

    """
    waiting = [category for category in categories if category in judging.changed]
    found = judging.evidence(waiting)

    def one(category: str) -> None:
        keys = {"labels": judging.version, "category": category}
        newer = ["gold, control, floor or settings"] if category in waiting else []
        with job.partition(MEASURES, keys, inputs=judging.inputs, newer=newer) as made:
            if not made.finished:
                made.weights.update(judging.made_with(category))
                made.write(measures(found[category], job.config.quality, job.config.review))

    do_each(job.stage, "category", categories, one)
