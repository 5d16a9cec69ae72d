"""A folder with one sub-folder per category. A link that leads out of it is set aside: it could name any file."""

import errno
from collections.abc import Iterator, Sequence
from pathlib import Path

from slac_tasks.collect.locations import is_below
from slac_tasks.collect.names import key_of
from slac_tasks.collect.sources.base import Candidate, Offer, Unreadable
from slac_tasks.errors import BrokenContract, NotConfigured
from slac_tasks.given import folders
from slac_tasks.given.words import printable
from slac_tasks.model import Window


class FolderSource:
    """A folder with one sub-folder per category; its files are undated."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folders: list[Path] = []
        self._unplaced: list[Unreadable] = []
        try:
            paths = sorted(path for path in root.iterdir() if not path.name.startswith("."))
        except OSError as error:
            raise NotConfigured(f"folder {root}: cannot be read: {error.strerror}") from error
        for path in paths:
            self._place(path)
        if not self._folders:
            found = f"; {self._unplaced[0]}" if self._unplaced else ""
            raise BrokenContract(f"folder {root}: has no sub-folder, want one of videos per category{found}")

    def _place(self, path: Path) -> None:
        """Take a path of the folder itself for a category's folder, or set it aside."""
        try:
            if path.is_dir():
                self._folders.append(path)
            elif path.is_file():
                detail = "lies in no sub-folder, want one per category"
                self._unplaced.append(Unreadable(item=printable(path.name), reason="no category", detail=detail))
            else:
                self._unplaced.append(self._unreadable(path, folders.no_file(path)))
        except OSError as error:
            self._unplaced.append(self._unreadable(path, error))

    def categories(self) -> list[str]:
        """Return the sub-folders' names."""
        return [folder.name for folder in self._folders]

    def unplaced(self) -> Sequence[Unreadable]:
        """Return what lies beside the sub-folders, and links to folders that are not there."""
        return self._unplaced

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
        paths = folders.entries(folder, failures)
        for failure in failures:
            yield self._unreadable(Path(failure.filename), failure)
        for path in paths:
            try:
                if path.is_symlink() and (path.is_dir() or not is_below(path, self.root)):
                    yield self._refused(path)
                elif path.is_file():
                    yield self._offer(path)
                else:
                    yield self._unreadable(path, folders.no_file(path))
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
        detail = error.strerror or str(error)
        # A pipe will be no file tomorrow either.
        return Unreadable(item=item, reason="unreadable", detail=detail, retryable=error.errno != errno.EINVAL)
