"""Every failure that the platform knows, and the exit code that each becomes.

    SlacError
    ├── WrongArguments      64  the command line asks for something that does not exist; no retry
    ├── BrokenContract      65  data, a dataset or an expectation is not what was promised; no retry
    │   └── NotMade         65  a dataset that a stage needs has not been written yet
    ├── Temporary           75  network, database restarting, disk full, preempted: retry with back-off
    └── NotConfigured       78  a setting, an address or a program is missing on this machine

A disk that is full is an OSError of Python's, and ends with 75 as well. Anything else that reaches the command line is
a bug: exit code 1, with its traceback. Output that nobody reads to its end is no failure: the command ends in silence
with 141, as a program that SIGPIPE ends.
A message names the input, the value found and the value wanted.
"""

import errno
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


class SlacError(Exception):
    """A failure with a meaning; `exit_code` is what the process ends with."""

    exit_code: ClassVar[int] = 1


class WrongArguments(SlacError):
    """The caller asked for something that cannot be: a retry would ask the same."""

    exit_code = 64


class BrokenContract(SlacError):
    """Data broke its contract or an expectation: a retry would read the same data."""

    exit_code = 65


class NotMade(BrokenContract):
    """A dataset that this stage reads does not exist: an earlier stage has not finished."""


class Temporary(SlacError):
    """The world was not ready: the same command may succeed later."""

    exit_code = 75


class NotConfigured(SlacError):
    """Something this machine must have is missing: a person has to set it."""

    exit_code = 78


def is_disk_full(failure: BaseException) -> bool:
    """Return whether the failure is a full disk or an exhausted quota, which a later try may not meet."""
    return isinstance(failure, OSError) and failure.errno in (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class FullDiskAt:
    """A block that gives a full disk its place where the failure has none: a write into an open file knows no name."""

    place: Path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, failure: BaseException | None, trace: object) -> None:
        if isinstance(failure, OSError) and is_disk_full(failure) and failure.filename is None:
            failure.filename = str(self.place)


def may_pass(failure: BaseException) -> bool:
    """Return whether the same command may succeed later."""
    return isinstance(failure, Temporary) or is_disk_full(failure)


def is_bug(failure: BaseException) -> bool:
    """Return whether nobody foresaw the failure: its traceback helps who mends it."""
    return not isinstance(failure, SlacError) and not is_disk_full(failure)
