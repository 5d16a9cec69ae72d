"""Where a command prints: a terminal, a pipe that somebody may close, or nothing at all."""

import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager

UNREAD_EXIT_CODE = 141
"""128 + SIGPIPE, what a shell reports of any program whose output nobody reads to its end."""


def open_closed() -> None:
    """Open on nothing what a shell or a service manager has closed (`<&-`).

    Whoever reads finds the end. Else a file or a connection that is opened later would get that number, and a program
    that is started would read from it or write into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The system gives the lowest number that is free, which is this one.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # it stays open as long as the process


def flush() -> None:
    """Let what was printed leave this process; a shell may have closed the output (`>&-`)."""
    if sys.stdout is not None:
        sys.stdout.flush()


def settle() -> None:
    """Let what stdout does not take go nowhere.

    What Python still holds of it would fail at the end of the process, which then ends with 120.
    """
    try:
        flush()
    except OSError:
        _lose(1)


def print_anywhere() -> None:
    """Let a terminal that cannot show a letter get it escaped: cron and thin images know ASCII alone."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def forgiven() -> Iterator[None]:
    """Let what stderr does not take go nowhere, as `settle` does: a log on a full disk changes no exit code."""
    try:
        yield
    except OSError:
        _lose(2)


def is_unread() -> bool:
    """Return whether stdout or stderr is a pipe whose reader has gone, as in `slac show clips | head -1`."""
    waiting = select.poll()
    for number in (1, 2):
        waiting.register(number, 0)
    return any(event & select.POLLERR for _, event in waiting.poll(0))


def end_unread() -> int:
    """Let the rest of the output go nowhere, so that the end of the process does not fail on it as well."""
    _lose(1, 2)
    return UNREAD_EXIT_CODE


def _lose(*numbers: int) -> None:
    """Let what is written to these descriptors go nowhere from now on."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in numbers:
        os.dup2(nowhere, number)
