"""What a demo keeps on disk: one state folder per subject, and the settings it runs with."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slac_tasks import config
from slac_tasks.errors import BrokenContract, WrongArguments
from slac_tasks.given.folders import path_of
from slac_tasks.launcher.airflow import PROJECT, Airflow
from slac_tasks.launcher.postgres import EmbeddedPostgres
from slac_tasks.launcher.processes import Daemon
from slac_tasks.launcher.subjects import GeneratedWorld, Subject, recorded
from slac_tasks.outputs import whole
from slac_tasks.world import disk


def root(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder below which every demo of this checkout keeps its state."""
    home = environ.get("SLAC_HOME")
    return (path_of(home) if home else PROJECT / ".slac").resolve()


@dataclass(frozen=True, kw_only=True)
class Demo:
    """One demo: the whole loop on this machine, on some subject."""

    subject: Subject = field(default_factory=GeneratedWorld)
    people: bool = True
    """Whether simulated people answer."""

    @property
    def home(self) -> Path:
        """State folder."""
        return root() / self.subject.state

    @property
    def world(self) -> Path:
        """Folder of the videos that are made, and of their truth."""
        return self.home / "world"

    @property
    def config(self) -> Path:
        """The settings file."""
        return self.home / "slac.toml"

    @property
    def postgres(self) -> EmbeddedPostgres:
        """The server of ledger and Airflow."""
        return EmbeddedPostgres(self.home / "postgres")

    @property
    def reviewers(self) -> Daemon:
        """The process in which simulated people answer."""
        return Daemon(name="people", folder=self.home / "logs")

    def write_config(self) -> None:
        """Write the settings, unless there are some that somebody may have edited."""
        if self.config.exists():
            return
        self.home.mkdir(parents=True, exist_ok=True)
        with whole(self.config) as part:  # a part of the settings would be taken for all of them
            part.write_text(self.subject.settings(self.world), encoding="utf-8")

    def check(self) -> None:
        """Make sure, before anything starts, that this code can go on with the settings and videos that are here.

        Raises:
            WrongArguments: the settings are refused.
            BrokenContract: the videos are others than those that this code makes.

        """
        try:
            config.load(self.environ(""))
            if stamp := self.subject.stamp():
                disk.check(self.world, stamp)
        except (WrongArguments, BrokenContract) as failure:
            raise type(failure)(
                f"{failure}; if an older release made this demo, `slac down --remove` deletes it"
            ) from failure

    def environ(self, ledger_url: str) -> dict[str, str]:
        """Return the variables that every stage of this demo needs."""
        return {
            "SLAC_CONFIG": str(self.config),
            "SLAC_STORE": str(self.home / "store"),
            "SLAC_DATABASE_URL": ledger_url,
            # Somebody is watching: answers are looked for four times a minute (the sixth field are seconds). What is
            # scored is sent at once, and what was left over, such as a category that failed, every five minutes.
            "SLAC_SEND_CRON": "*/5 * * * *",
            "SLAC_SYNC_CRON": "* * * * * */15",
        }

    def airflow(self, airflow_url: str, ledger_url: str, port: int | None) -> Airflow:
        """Return the Airflow of this demo."""
        return Airflow(home=self.home, database_url=airflow_url, environ=self.environ(ledger_url), port=port)

    def write(self) -> None:
        """Write down what this state folder is for."""
        self.home.mkdir(parents=True, exist_ok=True)
        with whole(self.home / "demo.json") as part:
            part.write_text(json.dumps({**self.subject.record(), "people": self.people}), encoding="utf-8")


def found() -> list[Demo]:
    """Return the demos that have state on this machine."""
    demos = []
    places = ("demo.json", "*/demo.json", "videos/*/demo.json", "rehearsals/*/demo.json")
    for path in [path for place in places for path in sorted(root().glob(place))]:
        try:
            kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            demos.append(Demo(subject=recorded(kept), people=kept["people"]))
        except (ValueError, KeyError, TypeError) as error:
            raise BrokenContract(f"{path}: is not what `slac demo` wrote: {error}") from error
    return demos
