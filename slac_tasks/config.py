"""Settings of one process: every room's section, put together and loaded.

Addresses and secrets come from the environment; all else comes from the TOML file that `SLAC_CONFIG` names, one table
per section, and has a default. Each room declares its section in its `settings.py`; `slac config` prints what is in
force. `procedure.py` names the sections that shape a dataset; those, and no others, make an existing one stale when
they change. Standard library only.
"""

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from slac_tasks import procedure, toml
from slac_tasks.admission.settings import Admission
from slac_tasks.collect.settings import Collect, Fetch
from slac_tasks.errors import NotConfigured, Temporary, WrongArguments
from slac_tasks.given.words import fault_of, printable
from slac_tasks.localization.settings import Localization
from slac_tasks.mining.settings import Mining
from slac_tasks.model import content_hash
from slac_tasks.networks.settings import Committee, Proposal, Scoring
from slac_tasks.quality.settings import Expectations, Quality
from slac_tasks.release.settings import Release
from slac_tasks.reports.settings import Costs
from slac_tasks.settings import Rule, Section, Table, from_table, setting
from slac_tasks.training.settings import Training
from slac_tasks.verification.settings import Aggregation, Elsewhere, Review, Segments

FINGERPRINT = "SLAC_CONFIG_FINGERPRINT"
"""Variable in which Airflow's worker says to a pod which settings it has itself."""


CHOSEN = ("SLAC_STORE", "SLAC_CONFIG", "SLAC_DATABASE_URL")
"""Variables each of which shows that somebody has chosen what a process works with."""


@dataclass(frozen=True, kw_only=True)
class Config(Section):
    """All settings of one process."""

    store_url: str = field(
        metadata={Rule: Rule(meaning="A folder, or s3://bucket/prefix on the server of SLAC_S3_ENDPOINT.")}
    )
    device: str = setting("auto", "Where networks run: `auto`, `cpu` or `cuda`.", choices=("auto", "cpu", "cuda"))
    batch_categories: int = setting(8, "Categories that one mapped task handles, so that start-up is shared.", least=1)
    task_start_sec: float = setting(
        30.0,
        "Seconds of a task around its command (Airflow, the pod; measured with pods of one node). Where it is known how"
        " fast `score` is, a task takes so many categories that its start is a tenth of its time.",
        least=0,
    )
    judge_pause_min: float = setting(
        30.0,
        "While queued clips have no label yet, new labels are judged so many minutes after the last ones at the "
        "earliest. When all have one they are judged at once, and once a day in any case (ours).",
        least=0,
        most=525_600,
    )
    machines: tuple[str, ...] = setting(
        (), "What stages ask of a machine instead of their defaults, such as `score: memory_gib=48, gpus=2`."
    )
    collect: Collect = field(default_factory=Collect)
    fetch: Fetch = field(default_factory=Fetch)
    admission: Admission = field(default_factory=Admission)
    proposal: Proposal = field(default_factory=Proposal)
    committee: Committee = field(default_factory=Committee)
    scoring: Scoring = field(default_factory=Scoring)
    mining: Mining = field(default_factory=Mining)
    review: Review = field(default_factory=Review)
    segments: Segments = field(default_factory=Segments)
    elsewhere: Elsewhere = field(default_factory=Elsewhere)
    aggregation: Aggregation = field(default_factory=Aggregation)
    quality: Quality = field(default_factory=Quality)
    expectations: Expectations = field(default_factory=Expectations)
    release: Release = field(default_factory=Release)
    training: Training = field(default_factory=Training)
    localization: Localization = field(default_factory=Localization)
    costs: Costs = field(default_factory=Costs)

    def conflicts(self) -> Iterator[str]:
        """Yield a refusal where a machine is described that no stage can ask for."""
        try:
            procedure.machine("", self.machines)
        except WrongArguments as refusal:
            yield str(refusal)

    @classmethod
    def table(cls) -> str:
        """Return nothing: these settings stand at the top of the file."""
        return ""

    def digest(self, sections: tuple[str, ...]) -> Table:
        """Return the values of the named sections, ready for a manifest."""
        return {name: json.loads(json.dumps(dataclasses.asdict(getattr(self, name)))) for name in sections}

    @property
    def fingerprint(self) -> str:
        """16 hex digits that name all settings but the store's address: two processes with the same agree."""
        return content_hash(json.dumps(dataclasses.asdict(dataclasses.replace(self, store_url="")), sort_keys=True))


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """The settings of a process, and where they came from."""

    config: Config
    origins: Mapping[str, str]
    """What each setting that is no default came from, by its path: the file's path or a variable's name."""


def load(environ: Mapping[str, str] = os.environ) -> Config:
    """Return the settings of this process; see `loaded`."""
    return loaded(environ).config


def loaded(environ: Mapping[str, str] = os.environ) -> Loaded:
    """Read the settings of this process from its environment and the TOML file that it names.

    Raises:
        NotConfigured: SLAC_STORE is not set, or the file that SLAC_CONFIG names cannot be read.
        WrongArguments: the file holds unknown names, or values that their settings may not have; all are named.
        Temporary: whoever started this process has other settings.

    """
    tables: Table = {}
    path = environ.get("SLAC_CONFIG", "")
    if path:
        try:
            tables = toml.read(path)
        except NotConfigured as error:
            raise NotConfigured(f"SLAC_CONFIG: {error}") from error
    origins = dict.fromkeys(_paths(tables), path)
    if url := environ.get("SLAC_STORE"):
        tables["store_url"], origins["store_url"] = url, "SLAC_STORE"
    if fault := fault_of(url or ""):
        raise NotConfigured(f"SLAC_STORE: '{printable(url or '')}' {fault}, want an address in UTF-8")
    if tables.get("store_url", "") == "":
        raise NotConfigured("SLAC_STORE: not set, want a folder or s3://bucket/prefix")
    try:
        config = from_table(Config, tables)
    except WrongArguments as error:
        raise WrongArguments(f"{path}: {error}") from error
    if (wanted := environ.get(FINGERPRINT)) and wanted != config.fingerprint:
        raise Temporary(
            f"settings {config.fingerprint} of {path or 'no file'} are not those of Airflow's worker, {wanted}; "
            "want the same slac.toml and the same version of slac; a config map that was just changed takes a minute"
        )
    return Loaded(config=config, origins=origins)


def _paths(tables: Table) -> list[str]:
    """Return the paths of all settings that a file names."""
    return [
        path
        for name, value in tables.items()
        for path in ([f"{name}.{inner}" for inner in value] if isinstance(value, Mapping) else [name])
    ]
