"""A store of media that cannot be read, here and in the processes that decode."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

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
