"""A store in a local folder."""

import ctypes
import errno
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from slac_tasks.errors import BrokenContract, NotConfigured, NotMade, Temporary, is_disk_full
from slac_tasks.storage.store import Stored, checked

_NO_LINKS = frozenset((errno.EPERM, errno.ENOTSUP, errno.ENOSYS))
"""What a file system says that has no hard links."""
_HERE, _NO_REPLACE = -100, 1
"""AT_FDCWD and RENAME_NOREPLACE of renameat2(2)."""


class FolderStore:
    """A store in a local folder."""

    def __init__(self, root: Path, *, writes: bool = False) -> None:
        """Open the folder; it is made where there is none.

        Args:
            root: the folder.
            writes: whether it must be writable, which is told before the work begins and not after hours of it.

        Raises:
            NotConfigured: it cannot be made, or must be writable and is not.

        """
        self.root = root.absolute()
        self.url = str(self.root)
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NotConfigured(f"store {self.url}: cannot be created: {error.strerror}") from error
        if writes and not os.access(self.root, os.W_OK | os.X_OK):
            raise NotConfigured(f"store {self.url}: is not writable")

    def _path(self, name: str) -> Path:
        return self.root / checked(name)

    @contextmanager
    def _reached(self, name: str) -> Iterator[None]:
        """Turn a failure of the file system into ours; nothing but this store may be touched inside."""
        try:
            yield
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            self._stands()
            raise NotMade(f"object {name}: does not exist in {self.url}") from error
        except OSError as error:
            why = f"{error.strerror or error}, at {name or 'its folder'}"
            if is_disk_full(error):
                raise Temporary(f"store {self.url}: disk is full while writing {name}") from error
            if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise NotConfigured(f"store {self.url}: refused: {why}") from error
            if error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
                raise BrokenContract(f"store {self.url}: cannot hold the name: {why}") from error
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):  # it is not the store that has no more
                raise
            raise Temporary(f"store {self.url}: out of reach: {why}") from error

    def _stands(self) -> None:
        """Refuse to go on where the folder itself is gone: a write would begin a second store, a read see nothing."""
        if not self.root.is_dir():
            raise NotConfigured(f"store {self.url}: is gone, want the folder that was there when the work began")

    @contextmanager
    def _staged(self, name: str) -> Iterator[tuple[Path, Path]]:
        """Yield (temporary file, target); the temporary name starts with a dot and is never listed."""
        target = self._path(name)
        part = target.parent / f".{target.name}.{secrets.token_hex(6)}.part"
        with self._reached(name):
            self._stands()
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                yield part, target
            except FileNotFoundError as error:
                raise Temporary(f"store {self.url}: lost {name} while it was written: {error.strerror}") from error
            except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
                raise BrokenContract(
                    f"store {self.url}: holds a file where {name} wants a folder, or vice versa"
                ) from error
            finally:
                # Where the store fails, this fails too; the first failure is the one to hear of.
                with suppress(OSError):
                    part.unlink(missing_ok=True)

    def put(self, name: str, data: bytes) -> None:
        with self._staged(name) as (part, target):
            _write(part, data)
            os.replace(part, target)

    def put_file(self, name: str, path: Path) -> None:
        # Whether the source can be read is not the store's failure, and so is seen first.
        with path.open("rb"), self._staged(name) as (part, target):
            shutil.copyfile(path, part)
            _sync(part)
            os.replace(part, target)

    def create(self, name: str, data: bytes) -> bool:
        with self._staged(name) as (part, target):
            _write(part, data)
            try:
                _take_name(part, target)
            except FileExistsError:
                return False
            return True

    def get(self, name: str) -> bytes:
        with self._reached(name):
            return self._path(name).read_bytes()

    def exists(self, name: str) -> bool:
        with self._reached(name):
            return self._path(name).is_file()

    def names(self, prefix: str) -> Iterator[str]:
        folder = self.root / prefix.rpartition("/")[0]

        def fail(error: OSError) -> None:
            # What is gone holds nothing; what cannot be read may hold anything.
            if not isinstance(error, FileNotFoundError | NotADirectoryError):
                raise error

        with self._reached(prefix):
            found = [
                os.path.relpath(os.path.join(where, file), self.root)
                for where, _, files in os.walk(folder, onerror=fail)
                for file in files
                if not file.startswith(".")
            ]
        yield from sorted(name for name in found if name.startswith(prefix))

    def objects(self, prefix: str) -> Iterator[Stored]:
        yield from self._stored(self.names(prefix))

    def unfinished(self) -> Iterator[Stored]:
        with self._reached(""):
            found = [str(path.relative_to(self.root)) for path in self.root.rglob(".*.part")]
        yield from self._stored(sorted(found))

    def _stored(self, names: Iterable[str]) -> Iterator[Stored]:
        for name in names:
            # Another process may delete it between the listing and this line.
            with suppress(NotMade), self._reached(name):
                found = self._path(name).stat()
                written_at = datetime.fromtimestamp(found.st_mtime, UTC)
                yield Stored(name=name, size_bytes=found.st_size, written_at=written_at)

    def delete(self, name: str) -> None:
        with suppress(NotMade), self._reached(name):
            self._path(name).unlink()

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        if not self.exists(name):
            raise NotMade(f"object {name}: does not exist in {self.url}")
        yield self._path(name)

    def presign(self, name: str, seconds: int) -> str | None:
        return None


def _take_name(part: Path, target: Path) -> None:
    """Give a file a name that no other has, in one step.

    Raises:
        FileExistsError: one has it.

    """
    try:
        os.link(part, target)
    except OSError as error:
        # exFAT, and some shares, know no second name of a file; what they know is a new name that replaces none.
        if error.errno not in _NO_LINKS:
            raise
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.renameat2(_HERE, os.fsencode(part), _HERE, os.fsencode(target), _NO_REPLACE):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(target)) from error


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
