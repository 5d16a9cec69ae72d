"""A store of media that cannot be read, here and in the processes that decode."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from torch import distributed

from slac_tasks.errors import NotConfigured, Temporary

_FAILURES = {"gone": Temporary, "refused": NotConfigured, "bug": ZeroDivisionError}


@dataclass(frozen=True)
class FailingMedia:
    """Fails in one way: `gone`, `refused` or `bug`."""

    why: str

    @contextmanager
    def __call__(self, name: str) -> Iterator[Path]:
        raise _FAILURES[self.why](f"{name}: {self.why}")
        yield


@dataclass(frozen=True)
class MediaOfAFailingRank:
    """Opens everything, but fails on one rank of several, or kills its process (`killed`)."""

    media: Callable[[str], AbstractContextManager[Path]]
    rank: int
    why: str

    @contextmanager
    def __call__(self, name: str) -> Iterator[Path]:
        if distributed.get_rank() == self.rank:
            if self.why == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            raise _FAILURES[self.why](f"{name}: {self.why}")
        with self.media(name) as path:
            yield path
