"""Signals that ask a command to end, and programs of its own that leave them to it."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


class Stopped(BaseException):
    """A signal asked this process to end. No stage may take it for the failure of one of its items."""


def listen() -> None:
    """Let a request to end, and a terminal that is closed, become `Stopped`; Ctrl-C is Python's `KeyboardInterrupt`."""
    signal.signal(signal.SIGTERM, _stop)
    # Who starts a command with `nohup` wants it to outlive the terminal.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _end)


def _stop(signum: int, frame: object) -> NoReturn:
    raise Stopped(f"stopped by signal {signal.Signals(signum).name}; run again to go on")


def _end(signum: int, frame: object) -> None:
    # A server ends its requests in a way of its own, which it has for SIGTERM alone.
    signal.raise_signal(signal.SIGTERM)


@contextmanager
def left_to_us() -> Iterator[None]:
    """Let a terminal disturb no program that starts in the block.

    Ctrl-C and a terminal that is closed reach the whole group. This process ends its programs; else each of them would
    print where it was, from its first line on.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
