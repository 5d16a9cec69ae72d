"""A store that turns read-only, full or broken in the middle of a stage, whichever stage it is.

The exit code is the right one, the last line names the store, and the stage goes on once the store is well.
"""

import contextlib
import errno
import io
import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.loop import Loop
from slac_tasks import cli
from slac_tasks.launcher.postgres import EmbeddedPostgres
from slac_tasks.procedure import STAGES

pytestmark = pytest.mark.timeout(900)

WRITERS = [name for name, stage in STAGES.items() if stage.writes]
FAULTS = {errno.EROFS: (0, 78), errno.ENOSPC: (1, 75), errno.EIO: (0, 75)}
"""After how many writes of a stage the store fails, and the exit code that says so."""
LONG = [name for name, stage in STAGES.items() if stage.machine.gpus]
"""Stages that work for long before they write: they fail once."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a stage ended on a store that failed it."""

    failed: bool
    """It wrote so often that the store failed."""
    code: int
    last: str


class FailingLoop(Loop):
    """A loop whose store fails the first call of each stage, once in each way, before it is well."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "tiny", 0)
        self.store = folder / "store"
        self.endings: dict[str, dict[int, Ending]] = {}

    def begin(self) -> None:
        super().begin()
        # Whatever network was trained is promoted, so that `promote` writes.
        settings = self.world / "slac.toml"
        settings.write_text(settings.read_text().replace("[training]\n", "[training]\nmin_gain = -1.0\n"))

    def call(self, argv: list[str]) -> None:
        if argv[0] in WRITERS and argv[0] not in self.endings:
            self.endings[argv[0]] = {
                fault: self._fail(argv, fault, after)
                for fault, (after, _) in FAULTS.items()
                if fault == errno.EROFS or argv[0] not in LONG
            }
        super().call(argv)

    def _fail(self, argv: list[str], fault: int, after: int) -> Ending:
        writes, hits = itertools.count(), []

        def failing(move: Callable[..., None]) -> Callable[..., None]:
            def attempt(source: object, target: object) -> None:
                if str(target).startswith(str(self.store)) and next(writes) >= after:
                    hits.append(target)
                    raise OSError(fault, os.strerror(fault), str(source), None, str(target))
                move(source, target)

            return attempt

        said = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(said):
            # Every write of a store in a folder ends with one of the two.
            patch.setattr(os, "replace", failing(os.replace))
            patch.setattr(os, "link", failing(os.link))
            code = cli.main(argv)
        return Ending(failed=bool(hits), code=code, last=said.getvalue().strip().rpartition("\n")[2])


@pytest.fixture(scope="module")
def loop(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> FailingLoop:
    """A loop that has gone around a tiny world once."""
    loop = FailingLoop(tmp_path_factory.mktemp("failing"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLAC_STORE", str(loop.store))
        patch.setenv("SLAC_DATABASE_URL", postgres.url("failing_store"))
        patch.setenv("SLAC_CONFIG", str(loop.world / "slac.toml"))
        loop.run()
    return loop


@pytest.mark.parametrize("stage", WRITERS)
def test_a_store_that_fails_is_named_whatever_the_stage(loop: FailingLoop, stage: str) -> None:
    endings = loop.endings[stage]
    assert endings[errno.EROFS].failed
    for fault, ending in endings.items():
        assert ending.code == (FAULTS[fault][1] if ending.failed else 0), ending.last
        if ending.failed:
            assert ending.last.startswith(f"slac {stage}: store {loop.store}: ")
