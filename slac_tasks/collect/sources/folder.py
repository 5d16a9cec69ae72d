"""A folder with one sub-folder per category."""

from collections.abc import Iterator
from pathlib import Path

from slac_tasks.collect.sources.base import Candidate, Offer
from slac_tasks.errors import BrokenContract
from slac_tasks.model import Window, slug


class FolderSource:
    """A folder with one sub-folder per category; its files are undated."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folders = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
        if not self._folders:
            raise BrokenContract(f"folder {root}: is empty, want one sub-folder of videos per category")

    def categories(self) -> list[str]:
        """Return the sub-folders' names."""
        return [folder.name for folder in self._folders]

    def candidates(self, category: str, window: Window) -> Iterator[Offer]:
        """Yield every file of the category's sub-folder, whatever its ending; hidden files are skipped."""
        for folder in self._folders:
            if slug(folder.name) != category:
                continue
            for path in sorted(folder.rglob("*")):
                name = path.relative_to(self.root)
                if path.is_file() and not any(part.startswith(".") for part in name.parts):
                    yield Candidate(
                        source=str(self.root),
                        source_id=name.as_posix(),
                        location=str(path.absolute()),
                        title=path.stem,
                    )
