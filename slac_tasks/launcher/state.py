"""What a demo keeps on disk: one state folder per world or folder of videos, and the settings it runs with."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slac_tasks import toml
from slac_tasks.collect.settings import Collect
from slac_tasks.config import Config
from slac_tasks.errors import BrokenContract, WrongArguments
from slac_tasks.launcher.airflow import PROJECT, Airflow
from slac_tasks.launcher.postgres import EmbeddedPostgres
from slac_tasks.launcher.processes import Daemon
from slac_tasks.mining.settings import Mining
from slac_tasks.release.settings import Release
from slac_tasks.training.settings import Training
from slac_tasks.world import presets

WORLD_FIRST, WORLD_LAST = "2026-01-05", "2026-01-19"
"""The first and the last window in which videos of the synthetic world were published."""

MEDIA = frozenset({".mp4", ".m4v", ".mkv", ".webm", ".mov", ".avi", ".mpg", ".mpeg", ".flv", ".wmv", ".3gp", ".ts"})
"""File names that a user's folder is expected to hold."""


def root(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder below which every demo of this checkout keeps its state."""
    return Path(environ.get("SLAC_HOME") or PROJECT / ".slac").resolve()


@dataclass(frozen=True, kw_only=True)
class Demo:
    """One demo: a synthetic world of some size, or a folder of videos."""

    size: str = "demo"
    videos: Path | None = None
    people: bool = True
    """Whether simulated people answer."""

    @property
    def home(self) -> Path:
        """State folder: the root itself for the usual world, a folder below it for anything else."""
        if self.videos is not None:
            return root() / "videos" / hashlib.sha256(str(self.videos).encode()).hexdigest()[:8]
        return root() if self.size == "demo" else root() / self.size

    @property
    def world(self) -> Path:
        """Folder of the synthetic world."""
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
        if self.videos is None:
            self.config.write_text(presets.world_settings(self.world, self.size), encoding="utf-8")
        else:
            self.config.write_text(_folder_settings(self.videos), encoding="utf-8")

    def environ(self, ledger_url: str) -> dict[str, str]:
        """Return the variables that every stage of this demo needs."""
        return {
            "SLAC_CONFIG": str(self.config),
            "SLAC_STORE": str(self.home / "store"),
            "SLAC_DATABASE_URL": ledger_url,
            # Somebody is watching: what is scored is sent, and what is answered is collected, every minute.
            "SLAC_SEND_CRON": "* * * * *",
            "SLAC_SYNC_CRON": "* * * * *",
        }

    def airflow(self, airflow_url: str, ledger_url: str, port: int | None) -> Airflow:
        """Return the Airflow of this demo."""
        return Airflow(home=self.home, database_url=airflow_url, environ=self.environ(ledger_url), port=port)

    def write(self) -> None:
        """Write down what this state folder is for."""
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "demo.json").write_text(
            json.dumps({"size": self.size, "videos": str(self.videos or ""), "people": self.people}), encoding="utf-8"
        )


def _folder_settings(videos: Path) -> str:
    """Return slac.toml of a demo on a folder of videos."""
    config = Config(
        store_url="",
        collect=Collect(sources=(str(videos),)),
        committee=presets.SMALL,
        mining=Mining(clips_per_round=60),
        release=Release(min_new_labels=20, wait_for_queue=True),
        training=Training(architecture="small_3d", steps=300, transfer_steps=100, transfer_seeds=3),
    )
    return toml.changes(
        config,
        "Made by `slac demo --videos`. Networks of the platform's own, which start from nothing: they need no download "
        'and no GPU, and they know less than the defaults (`pretrained = "hub"`), which learned from Kinetics.',
    )


def found() -> list[Demo]:
    """Return the demos that have state on this machine."""
    demos = []
    for path in [root() / "demo.json", *sorted(root().glob("*/demo.json")), *sorted(root().glob("videos/*/demo.json"))]:
        try:
            kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            videos = Path(kept["videos"]) if kept["videos"] else None
            demos.append(Demo(size=kept["size"], videos=videos, people=kept["people"]))
        except FileNotFoundError:
            continue
        except (ValueError, KeyError, TypeError) as error:
            raise BrokenContract(f"{path}: is not what `slac demo` wrote: {error}") from error
    return demos


def check_videos(folder: Path) -> Path:
    """Return the folder if it holds videos, one sub-folder per category.

    Raises:
        WrongArguments: there is no such folder.
        BrokenContract: it holds no category, or no file that looks like a video.

    """
    if not folder.is_dir():
        raise WrongArguments(f"videos: no folder {folder}, want one with a sub-folder of videos per category")
    categories = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
    if not categories:
        raise BrokenContract(f"videos: {folder} holds no sub-folder, want one per category, e.g. {folder}/judo/1.mp4")
    if not any(file.suffix.lower() in MEDIA for category in categories for file in category.rglob("*")):
        raise BrokenContract(f"videos: the {len(categories)} sub-folders of {folder} hold no video file")
    return folder.resolve()
