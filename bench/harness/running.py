"""A benchmark as a program: its sizes are its flags, and its last line is one JSON object."""

import argparse
import json
import math
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Generic, NoReturn, TypeVar, get_args, get_origin, get_type_hints

from slac_tasks.scratch import Scratch

Figures = Mapping[str, float | None]
"""What was measured, by name; None: it cannot be measured on this machine. `scale` is the share of the issue's size."""

Seed = Annotated[int, "seed of every random draw"]
"""The type of a size's field `seed`."""

S = TypeVar("S")

ABSENT = 69
"""Exit code of a benchmark whose service is not on this machine (EX_UNAVAILABLE of sysexits.h)."""

_DIGITS = 5
"""Significant digits of a figure; more would be noise."""


class Absent(Exception):
    """A service that the benchmark cannot do without is not on this machine."""


@dataclass(frozen=True, kw_only=True)
class Bench(Generic[S]):
    """One benchmark at three sizes.

    A size is a frozen dataclass. Each field is annotated with a sentence, `Annotated[int, "videos of one category"]`,
    and is a flag of the same name; its type is bool, int, float, str, Path, one of these or None,
    or a tuple of one of them.
    """

    name: str
    doc: str | None
    """The module's docstring, which is its help."""
    measure: Callable[[S, Path], Figures]
    """Does the work in an empty folder, which is deleted afterwards."""
    full: S
    """The size that the issue names."""
    quick: S
    """A size for which 50 seconds on two cores are enough."""
    tiny: S
    """The smallest size at which every part runs: for the test suite."""

    def main(self, argv: Sequence[str] | None = None) -> int:
        """Run the benchmark and print its last line; return 0, or `ABSENT` where a service is missing.

        Args:
            argv: the flags; None reads those of this process.

        """
        size = self._size(argv)
        try:
            with _stoppable(), Scratch() as folder:
                print(self.last_line(self.measure(size, folder)), flush=True)
        except Absent as missing:
            print(f"bench.{self.name}: needs {missing}", file=sys.stderr)
            return ABSENT
        return 0

    def last_line(self, figures: Figures) -> str:
        """Return the JSON object that a benchmark ends with.

        Raises:
            ValueError: the figures have no scale, or one of them is not a finite number.

        """
        if figures.get("scale") is None:
            raise ValueError(f"bench.{self.name}: figures {sorted(figures)}, want `scale` among them")
        endless = {key: value for key, value in figures.items() if value is not None and not math.isfinite(value)}
        if endless:
            raise ValueError(f"bench.{self.name}: figures {endless}, want finite numbers, or None for unknown")
        rounded = {key: _rounded(value) for key, value in figures.items()}
        return json.dumps({"bench": self.name, "figures": rounded}, allow_nan=False)

    def _size(self, argv: Sequence[str] | None) -> S:
        """Return the size that the flags ask for."""
        parser = argparse.ArgumentParser(
            prog=f"python -m bench.{self.name}",
            description=self.doc,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        preset = parser.add_mutually_exclusive_group()
        for name, why in (("quick", "within 50 seconds on two cores"), ("tiny", "seconds, for the test suite")):
            size = getattr(self, name)
            preset.add_argument(
                f"--{name}", dest="preset", action="store_const", const=size, default=self.full, help=why
            )
        hints = get_type_hints(type(self.full), include_extras=True)
        for field in fields(self.full):  # type: ignore[arg-type]  # S is a dataclass
            sizes = ", ".join(
                f"{name} {getattr(getattr(self, name), field.name)}" for name in ("full", "quick", "tiny")
            )
            parser.add_argument(f"--{field.name.replace('_', '-')}", **_flag(hints[field.name], sizes))
        given = vars(parser.parse_args(argv))
        chosen: S = given.pop("preset")
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
        return replace(chosen, **values)  # type: ignore[type-var]  # S is a dataclass


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let SIGTERM end the benchmark as Ctrl-C does: the services that it started and its folder go with it."""

    def stop(signum: int, frame: object) -> NoReturn:
        raise SystemExit(128 + signum)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _flag(hint: Any, sizes: str) -> dict[str, Any]:
    """Return what argparse must know of a field with this annotation."""
    kind, help_text = get_args(hint)[:2]
    flag: dict[str, Any] = {"default": argparse.SUPPRESS, "help": f"{help_text} ({sizes})".replace("%", "%%")}
    if get_origin(kind) is tuple:
        return flag | {"action": "append", "type": get_args(kind)[0]}
    plain = [part for part in get_args(kind) or (kind,) if part is not type(None)]
    if plain[0] is bool:
        return flag | {"action": argparse.BooleanOptionalAction}
    return flag | {"type": plain[0]}


def _rounded(value: float | None) -> float | None:
    """Return a figure without the digits that are noise; whole numbers stay as they are."""
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
