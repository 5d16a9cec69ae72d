"""Manifests: what a generation of a dataset holds, what was set aside, and what it was made from."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from slac_tasks.model import content_hash
from slac_tasks.settings import Table
from slac_tasks.storage.declarations import Dataset


@dataclass(frozen=True, kw_only=True)
class Drop:
    """An item that a stage set aside."""

    item: str
    reason: str
    detail: str = ""
    retryable: bool = False


@dataclass(frozen=True, kw_only=True)
class Part:
    """One Parquet file of a generation, named by its content."""

    name: str
    rows: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class MadeBy:
    """What wrote a generation."""

    stage: str
    code: str
    """Version of the code."""
    settings: Table
    """The sections of the settings that shaped it, by name."""
    bundle: str = ""
    """Version of Airflow's DAG bundle whose run started the stage, e.g. a commit; empty: it has none, or no Airflow."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a generation holds and what it was made from."""

    dataset: str
    version: int
    keys: Mapping[str, str]
    generation: int
    rows: int
    columns: Mapping[str, str]
    parts: tuple[Part, ...]
    dropped: Mapping[str, int]
    """Drops by reason."""
    drops: tuple[Drop, ...]
    address: str
    made_by: MadeBy
    made_from: Mapping[str, str]
    """What it was made from: address of a dataset or name of weights -> generation and hash."""
    written_at: str
    sha256: str = field(default="", compare=False)
    declared: "Dataset[Any] | None" = field(default=None, compare=False, repr=False)
    """The dataset as readers see it: where the generation is one of the version before, the version now."""

    def encode(self) -> bytes:
        """Return the bytes of manifest.json."""
        values = asdict(replace(self, declared=None))
        del values["sha256"], values["declared"]
        return (json.dumps(values, indent=1, sort_keys=True) + "\n").encode()

    @classmethod
    def decode(cls, data: bytes, declared: "Dataset[Any]") -> "Manifest":
        """Read the bytes of manifest.json of a generation of the dataset `declared`.

        Raises:
            ValueError, TypeError, KeyError: they are none.

        """
        values = json.loads(data)
        values["parts"] = tuple(Part(**part) for part in values["parts"])
        values["drops"] = tuple(Drop(**drop) for drop in values["drops"])
        values["made_by"] = MadeBy(**values["made_by"])
        return cls(**values, sha256=hashlib.sha256(data).hexdigest(), declared=declared)

    @property
    def is_older(self) -> bool:
        """Whether the generation is one of the version before."""
        return self.declared is not None and self.declared.version != self.version

    @property
    def retryable(self) -> int:
        """How many drops a later try may not meet."""
        return sum(1 for drop in self.drops if drop.retryable)

    @property
    def contents(self) -> str:
        """16 hex digits, the same for generations that hold the same rows."""
        return content_hash(*(part.sha256 for part in self.parts))

    @property
    def folder(self) -> str:
        """The folder in the store of this generation."""
        return f"{self.address}/g{self.generation:04d}"

    @property
    def mark(self) -> str:
        """Generation and hash: how the manifest of a later dataset names this one."""
        return f"g{self.generation:04d}:{self.sha256}"
