"""What a demo runs on: the generated world, a rehearsal on trimmed videos, or a folder of videos."""

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from slac_tasks import toml
from slac_tasks.collect.settings import Collect
from slac_tasks.config import Config
from slac_tasks.errors import BrokenContract, WrongArguments
from slac_tasks.given import folders
from slac_tasks.launcher.course import Course
from slac_tasks.mining.settings import Mining
from slac_tasks.model import Window, slug
from slac_tasks.outputs import whole
from slac_tasks.quality.settings import Quality
from slac_tasks.release.settings import Release
from slac_tasks.training.settings import Training
from slac_tasks.verification.settings import Review
from slac_tasks.world import presets
from slac_tasks.world.disk import GUIDELINES, MANIFEST, Stamp, world_stamp
from slac_tasks.world.rehearsal import Rehearsal

WORLD_FIRST, WORLD_LAST = "2026-01-05", "2026-01-19"
"""The first and the last window in which videos of a world or a rehearsal were published."""

MEDIA = frozenset({".mp4", ".m4v", ".mkv", ".webm", ".mov", ".avi", ".mpg", ".mpeg", ".flv", ".wmv", ".3gp", ".ts"})
"""File names that a user's folder is expected to hold."""

_WORLD = Course(whole_sec=335.0, gone={9: 0.28, 6: 0.54, 2: 0.63, 1: 0.66})
"""Two demos on two processors, of 335 and 520 s, the longer one beside other work; the shares are means of both."""

Record = Mapping[str, str | int | float]
"""A subject as demo.json holds it."""


class Subject(Protocol):
    """What a demo runs on."""

    @property
    def state(self) -> Path:
        """Its state folder, below the folder of all demos."""

    @property
    def has_truth(self) -> bool:
        """Whether what its videos show is known: simulated people see it, and labels are measured against it."""

    @property
    def releases(self) -> bool:
        """Whether its labels are enough for a release."""

    @property
    def most_sec(self) -> float:
        """So long the demo may take."""

    @property
    def course(self) -> Course | None:
        """How such demos went; None: how long one takes depends on its videos."""

    def making(self, world: Path) -> Sequence[str]:
        """Return the words of the command that makes its videos in `world`; none: they are there."""

    def stamp(self) -> Stamp | None:
        """Return what tells the videos that it makes from others; None: it makes none."""

    def settings(self, world: Path) -> str:
        """Return the text of its slac.toml."""

    def guidelines(self, world: Path) -> Mapping[str, str]:
        """Return the guideline of each category by its name; none: the categories are those that the sources name."""

    def spare(self, world: Path) -> str | None:
        """Return the name of a category that its videos show and that nobody collects unless it is added."""

    def windows(self, home: Path) -> list[str]:
        """Return the windows to collect."""

    def record(self) -> Record:
        """Return what demo.json holds of it."""


@dataclass(frozen=True, kw_only=True)
class GeneratedWorld:
    """The synthetic world."""

    size: str = "demo"
    has_truth = True
    releases = True
    most_sec = 3600.0

    @property
    def course(self) -> Course | None:
        """That of the usual world."""
        return _WORLD if self.size == "demo" else None

    @property
    def state(self) -> Path:
        """The folder of all demos itself for the usual world, a folder below it for another size."""
        return Path() if self.size == "demo" else Path(self.size)

    def making(self, world: Path) -> Sequence[str]:
        """Return the words of `slac world make`."""
        return ("world", "make", str(world), "--size", self.size)

    def stamp(self) -> Stamp | None:
        """Return the world's."""
        return world_stamp(0, self.size)

    def settings(self, world: Path) -> str:
        """Return those of the world."""
        return presets.world_settings(world, self.size)

    def guidelines(self, world: Path) -> Mapping[str, str]:
        """Return those that lie beside the world's videos."""
        path = world / GUIDELINES
        found: Mapping[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return found

    def spare(self, world: Path) -> str | None:
        """Return what the manifest offers and has no guideline."""
        offered = {json.loads(line)["category"] for line in (world / MANIFEST).read_text(encoding="utf-8").splitlines()}
        spare = sorted(offered - {slug(name) for name in self.guidelines(world)})
        return spare[0].replace("_", " ").capitalize() if spare else None

    def windows(self, home: Path) -> list[str]:
        """Return the world's."""
        return _world_windows()

    def record(self) -> Record:
        """Return its size."""
        return {"size": self.size}


@dataclass(frozen=True, kw_only=True)
class Rehearsed:
    """Videos that are joined from a laboratory's trimmed ones."""

    rehearsal: Rehearsal
    has_truth = True
    # How many labels there are depends on the folder, and so does the time.
    releases = False
    most_sec = 86_400.0
    course = None

    @property
    def state(self) -> Path:
        """A folder for each set of options and files."""
        return Path("rehearsals") / _short(json.dumps(self.record()))

    def making(self, world: Path) -> Sequence[str]:
        """Return the words of `slac rehearse --only-make`."""
        options = self.rehearsal
        return (
            "rehearse", str(options.folder), "--only-make", "--seed", str(options.seed),
            "--videos", str(options.videos), "--wrong", str(options.wrong),
        )  # fmt: skip

    def stamp(self) -> Stamp | None:
        """Return the rehearsal's."""
        return self.rehearsal.stamp()

    def settings(self, world: Path) -> str:
        """Return those of the rehearsal."""
        return presets.rehearsal_settings(world)

    def guidelines(self, world: Path) -> Mapping[str, str]:
        """Return none: nobody has written any."""
        return {}

    def spare(self, world: Path) -> str | None:
        """Return none: all are collected."""
        return None

    def windows(self, home: Path) -> list[str]:
        """Return those of the generated world."""
        return _world_windows()

    def record(self) -> Record:
        """Return its options, and what names its files."""
        return self.rehearsal.stamp()


@dataclass(frozen=True, kw_only=True)
class OwnVideos:
    """A folder of videos, one sub-folder per category; nobody knows what they show."""

    folder: Path
    has_truth = False
    releases = False
    # How long it takes is the folder's affair; a demo where nothing moves ends by itself.
    most_sec = math.inf
    course = None

    @property
    def state(self) -> Path:
        """A folder for each folder of videos."""
        return Path("videos") / _short(str(self.folder))

    def making(self, world: Path) -> Sequence[str]:
        """Return nothing: they are there."""
        return ()

    def stamp(self) -> Stamp | None:
        """Return nothing: they are there."""
        return None

    def settings(self, world: Path) -> str:
        """Return small networks and short rounds."""
        config = Config(
            store_url="",
            # Who answers some clips wants to see what became of them.
            judge_pause_min=2.0,
            collect=Collect(sources=(str(self.folder),)),
            committee=presets.SMALL,
            mining=Mining(clips_per_round=60),
            # Who is alone with a laptop gives each clip one answer. What only a second person's shows is unknown.
            review=Review(
                votes_wanted=1, votes_judging=1, control_votes=1, control_lead=1, audit_share=0.0, again_below=0.0
            ),
            quality=Quality(min_agreement=0.0, min_precision=0.0),
            release=Release(min_new_labels=20, due_share=1.0, wait_for_queue=True),
            training=Training(architecture="small_3d", steps=300, transfer_steps=100, transfer_seeds=3),
        )
        return toml.changes(
            config,
            "Made by `slac demo --videos`. Networks of the platform's own, which start from nothing: they need no "
            'download and no GPU, and they know less than the defaults (`pretrained = "hub"`), which learned from '
            "Kinetics. Each clip is asked once, of one person. Where two or three people review, take out the tables "
            "[review] and [quality] before clips are sent: then each clip is asked two or three times, and the gate "
            "wants people to agree.",
        )

    def guidelines(self, world: Path) -> Mapping[str, str]:
        """Return none: nobody has written any."""
        return {}

    def spare(self, world: Path) -> str | None:
        """Return none: all are collected."""
        return None

    def windows(self, home: Path) -> list[str]:
        """Return the last week that had ended when the demo was begun: one that is run again next week goes on."""
        begun = home / "window"
        if not begun.exists():
            begun.parent.mkdir(parents=True, exist_ok=True)
            with whole(begun) as part:
                part.write_text(str(Window.of(datetime.now(UTC) - timedelta(days=7))), encoding="utf-8")
        return [begun.read_text(encoding="utf-8").strip()]

    def record(self) -> Record:
        """Return its folder."""
        return {"videos": str(self.folder)}


def recorded(record: Record) -> Subject:
    """Return the subject that demo.json holds.

    Raises:
        KeyError, TypeError, ValueError: it holds none.

    """
    if record.get("folder"):
        return Rehearsed(
            rehearsal=Rehearsal(
                folder=Path(str(record["folder"])), takes=str(record["takes"]), seed=int(record["seed"]),
                videos=int(record["videos"]), wrong=float(record["wrong"]),
            )
        )  # fmt: skip
    if record.get("videos"):
        return OwnVideos(folder=Path(str(record["videos"])))
    return GeneratedWorld(size=str(record["size"]))


def check_videos(folder: Path) -> Path:
    """Return the folder if it holds videos, one sub-folder per category.

    Raises:
        WrongArguments: there is no such folder.
        BrokenContract: no sub-folder holds a file that looks like a video.

    """
    if not os.path.isdir(folder):
        raise WrongArguments(f"videos: no folder {folder}, want one with a sub-folder of videos per category")
    failures: list[OSError] = []
    paths = folders.files(folder, failures)
    if not any(path.suffix.lower() in MEDIA for path in paths if path.parent != folder):
        unread = f"; {folders.told(failures[0])}" if failures else ""
        want = f"want one per category, e.g. {folder}/judo/1.mp4"
        raise BrokenContract(f"videos: {folder} has no sub-folder with a video file, {want}{unread}")
    return folder.resolve()


def _world_windows() -> list[str]:
    first, last = Window.parse(WORLD_FIRST), Window.parse(WORLD_LAST)
    weeks = (last.monday - first.monday).days // 7
    return [str(Window(first.monday + timedelta(days=7 * week))) for week in range(weeks + 1)]


def _short(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:8]
