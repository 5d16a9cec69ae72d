"""What a rehearsal is: trimmed videos of a laboratory, and how they become a source. `joined` writes it."""

from dataclasses import asdict, dataclass
from pathlib import Path

from slac_tasks.errors import WrongArguments
from slac_tasks.given import folders
from slac_tasks.given.words import printable
from slac_tasks.model import content_hash
from slac_tasks.world import disk

VERSION = 1
"""Version of what is written; another version's folder is refused."""
BACKGROUNDS = ("background", "other")
"""Sub-folders of these names hold what is none of the actions."""
WINDOWS = 3
"""Weeks over which the videos are published."""


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """All that decides what is written."""

    folder: Path
    """One sub-folder of trimmed videos for each class."""
    takes: str
    """Names the files in it."""
    seed: int = 0
    videos: int = 12
    """Joined videos of one class, over all windows (ours)."""
    wrong: float = 0.3
    """Share of them in which the class does not occur: retrieval is noisy (ours)."""

    def __post_init__(self) -> None:
        """Refuse what nobody can rehearse on.

        Raises:
            WrongArguments: a number is out of its range.

        """
        if self.seed < 0:
            raise WrongArguments(f"rehearsal: seed {self.seed}, want 0 or more")
        if self.videos < WINDOWS:
            raise WrongArguments(
                f"rehearsal: {self.videos} videos of a class, want {WINDOWS} at least, one for each week"
            )
        if not 0 <= self.wrong < 1:
            raise WrongArguments(f"rehearsal: a share of {self.wrong} wrong videos, want 0 or more and less than 1")

    @classmethod
    def of(cls, folder: Path, *, seed: int = 0, videos: int = 12, wrong: float = 0.3) -> "Rehearsal":
        """Return the rehearsal on what the folder holds now: its names and sizes."""
        # What cannot be read is set aside when the videos are joined.
        files = folders.files(folder, [])
        sizes = (f"{printable(str(path.relative_to(folder)))} {path.stat().st_size}" for path in files)
        return cls(folder=folder, takes=content_hash(*sizes), seed=seed, videos=videos, wrong=wrong)

    def stamp(self) -> disk.Stamp:
        """Return what tells it from other worlds."""
        return {"version": VERSION, **asdict(self), "folder": str(self.folder)}
