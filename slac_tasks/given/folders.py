"""Paths that people give, and folders walked to the ground.

What cannot be read is named; a glob passes over it in silence.
"""

import errno
import os
from pathlib import Path

from slac_tasks.errors import NotConfigured


def path_of(text: str) -> Path:
    """Return the path that a person writes in a setting, a variable or a flag: a `~` before it is their home.

    No shell has replaced that one in a file, in quotes or behind `--flag=`.
    """
    return Path(os.path.expanduser(text))


def entries(folder: Path, failures: list[OSError]) -> list[Path]:
    """Return everything below a folder that is no folder, in order; links to folders are among it and not followed.

    Hidden files and folders are skipped.

    Args:
        folder: where to look.
        failures: gets what kept a folder from being read; each names its path.

    """
    found: list[Path] = []
    for where, folders, files in os.walk(folder, onerror=failures.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(where, name) for name in folders if os.path.islink(os.path.join(where, name))]
        found += [Path(where, name) for name in files if not name.startswith(".")]
    return sorted(found)


def files(folder: Path, failures: list[OSError]) -> list[Path]:
    """Return the files below a folder, in order; see `entries`. What is none, as a link to nothing, is a failure."""
    found: list[Path] = []
    for path in entries(folder, failures):
        try:
            if path.is_file():
                found.append(path)
            elif not path.is_dir():
                failures.append(no_file(path))
        except OSError as error:
            failures.append(error)
    return found


def no_file(path: Path) -> OSError:
    """Return why a path below a folder is no file."""
    if path.is_symlink():
        return OSError(errno.ENOENT, "is a link to nothing", str(path))
    return OSError(errno.EINVAL, "is a pipe, a socket or a device, want a file", str(path))


def told(failure: OSError) -> str:
    """Return a failure as a message shows it."""
    return f"{failure.filename}: {failure.strerror or failure}"


def check_current() -> None:
    """Refuse to work in a folder that was deleted: libraries ask where they are while they are imported.

    Raises:
        NotConfigured: it was.

    """
    try:
        os.getcwd()
    except OSError as error:
        raise NotConfigured("the current folder was deleted, want one that is there") from error
