"""A folder with one sub-folder per category. A link that leads out of it is set aside: it could name any file."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from slac_tasks.collect.locations import is_below
from slac_tasks.collect.names import key_of
from slac_tasks.collect.sources.base import Candidate, Offer, Unreadable
from slac_tasks.errors import BrokenContract, NotConfigured
from slac_tasks.given.words import printable
from slac_tasks.model import Window


class FolderSource:
    """A folder with one sub-folder per category; its files are undated."""

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            self._folders = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
        except OSError as error:
            raise NotConfigured(f"folder {root}: cannot be read: {error.strerror}") from error
        if not self._folders:
            raise BrokenContract(f"folder {root}: is empty, want one sub-folder of videos per category")

    def categories(self) -> list[str]:
        """Return the sub-folders' names."""
        return [folder.name for folder in self._folders]

    def unplaced(self) -> Sequence[Unreadable]:
        """Return nothing: each file is below a sub-folder."""
        return ()

    def candidates(self, category: str, window: Window) -> Iterator[Offer]:
        """Yield every file of the category's sub-folder, whatever its ending; hidden files are skipped.

        A folder that cannot be read and a name that cannot be stored are set aside.
        """
        for folder in self._folders:
            if key_of(folder.name) == category:
                yield from self._below(folder)

    def files(self) -> list[Path]:
        """Return every file that some category offers."""
        offers = (offer for folder in self._folders for offer in self._below(folder))
        return [Path(offer.location) for offer in offers if isinstance(offer, Candidate)]

    def _below(self, folder: Path) -> Iterator[Offer]:
        if not is_below(folder, self.root):
            yield self._refused(folder)
            return
        failures: list[OSError] = []
        paths: list[Path] = []
        for where, folders, files in os.walk(folder, onerror=failures.append):
            folders[:] = [name for name in folders if not name.startswith(".")]
            # A link to a folder is not followed, and so is set aside like a file.
            paths += [Path(where, name) for name in folders if os.path.islink(os.path.join(where, name))]
            paths += [Path(where, name) for name in files if not name.startswith(".")]
        for failure in failures:
            yield self._unreadable(Path(failure.filename), failure)
        for path in sorted(paths):
            try:
                if path.is_symlink() and (path.is_dir() or not is_below(path, self.root)):
                    yield self._refused(path)
                elif path.is_file():
                    yield self._offer(path)
            except OSError as error:
                yield self._unreadable(path, error)

    def _offer(self, path: Path) -> Offer:
        name = path.relative_to(self.root)
        try:
            return Candidate(
                source=str(self.root), source_id=name.as_posix(), location=str(path.absolute()), title=path.stem
            )
        except ValueError as error:
            return Unreadable(item=printable(name.as_posix()), reason="bad name", detail=str(error))

    def _refused(self, path: Path) -> Unreadable:
        item = printable(path.relative_to(self.root).as_posix())
        if is_below(path, self.root):
            return Unreadable(item=item, reason="link to a folder", detail="is not followed, want the folder itself")
        return Unreadable(item=item, reason="refused address", detail="is a link that leads out of the source's folder")

    def _unreadable(self, path: Path, error: OSError) -> Unreadable:
        item = printable(path.relative_to(self.root).as_posix())
        return Unreadable(item=item, reason="unreadable", detail=error.strerror or str(error), retryable=True)
