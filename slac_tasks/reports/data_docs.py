"""The docs of the data: what was found of every hand-over, as files that grow with what is new.

    docs/v1/<dataset>.json    what the newest inspection found, and every hand-over that fails
    docs/v1/<dataset>.html    the same for people, without anything to load from elsewhere
    docs/v1/index.html        every dataset

An inspection rewrites the files of the datasets that it judged, and the index. So what it costs, and what is stored,
grows with the hand-overs that fail and not with all of them. The pages of Great Expectations itself are not used: each
has 180 kB for 30 expectations, there would be one for each hand-over, and it loads its styles and scripts from other
hosts, which a browser behind our policy, or without a network, does not get.
"""

import json
from dataclasses import asdict, dataclass, field, fields

from slac_tasks.errors import BrokenContract

FOLDER = "docs/v1"


@dataclass(frozen=True, kw_only=True)
class Line:
    """What the newest inspection found of one expectation, over the hand-overs that it judged."""

    name: str
    sentence: str
    severity: str
    met: int
    failed: int
    unchecked: int
    """Values with each verdict: hand-overs, and subjects in them."""


@dataclass(frozen=True, kw_only=True)
class Failing:
    """A hand-over that fails."""

    partition: str
    critical: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Docs:
    """What is known of the hand-overs of one dataset."""

    dataset: str
    inspected_at: str
    """Moment of the newest inspection."""
    judged: int = 0
    """Hand-overs that the newest inspection judged."""
    lines: tuple[Line, ...] = ()
    failing: tuple[Failing, ...] = field(default=())
    """Newest first."""

    @property
    def critical(self) -> int:
        """Hand-overs with a critical failure."""
        return sum(bool(one.critical) for one in self.failing)

    @property
    def warned(self) -> int:
        """Hand-overs with a warning."""
        return sum(bool(one.warnings) for one in self.failing)

    def encode(self) -> bytes:
        """Return the bytes of the file."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, data: bytes, name: str) -> "Docs":
        """Read the bytes of a file; what another release wrote besides is left out.

        Raises:
            BrokenContract: they are no docs.

        """
        try:
            found = json.loads(data)
            lines = tuple(Line(**{own.name: one[own.name] for own in fields(Line)}) for one in found.pop("lines"))
            failing = tuple(
                Failing(partition=one["partition"], critical=tuple(one["critical"]), warnings=tuple(one["warnings"]))
                for one in found.pop("failing")
            )
            return cls(**found, lines=lines, failing=failing)
        except (ValueError, TypeError, KeyError) as error:
            raise BrokenContract(f"{name}: is no docs of a dataset ({error}); delete it, it is made again") from error


def file(dataset: str) -> str:
    """Return the object name of the docs of a dataset."""
    return f"{FOLDER}/{dataset}.json"
