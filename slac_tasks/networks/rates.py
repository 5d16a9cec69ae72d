"""How fast clips were scored on each device: measured by every run of `slac score`, and what a later one will take.

    rates/<work>/<device>/<moment>-<run>.json     one run; the newest few of a device are kept

The work is the networks that looked at the clips together, and the settings by which they ran. A rate is known where a
run did the same work on the same device. Elsewhere it is unknown: no other device, and no other network, speaks for it.
"""

import json
import secrets
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from statistics import median
from typing import TypeVar

import pyarrow as pa

from slac_tasks.errors import NotMade
from slac_tasks.model import View, content_hash
from slac_tasks.networks.settings import Scoring
from slac_tasks.progress import amount, counted, print_line, span
from slac_tasks.storage.datasets.scoring import CommitteeRow
from slac_tasks.storage.store import Store

T = TypeVar("T")

RATES = "rates/"
NEWEST = 8
"""Runs of one work on one device: the newest ones speak for the code and the drivers of today."""

_SIZED = 32
"""Objects of which the size is asked; the others are taken to be as large."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a device does with each clip."""

    networks: tuple[str, ...]
    """Architecture of each backbone that looks at it, in order of the name."""
    scoring: Scoring

    @classmethod
    def of(cls, members: Iterable[CommitteeRow], scoring: Scoring) -> "Work":
        """Return the work of scoring with these members: of several with one backbone it looks once."""
        backbones = {member.backbone: member.architecture for member in members}
        return cls(networks=tuple(sorted(backbones.values())), scoring=scoring)

    @property
    def key(self) -> str:
        """16 hex digits, the same where the same rate is to be expected."""
        how = self.scoring
        # Rates that were measured before clips could be read from originals stay known.
        pixels = () if how.pixels == "renditions" else (how.pixels,)
        return content_hash(*self.networks, str((how.batch, how.workers, how.precision, how.compile)), *pixels)

    def __str__(self) -> str:
        return " + ".join(self.networks)


@dataclass(frozen=True, kw_only=True)
class Run:
    """What was measured of one run."""

    device: str
    clips: int
    seconds: float
    """From the first batch of pixels to the last write."""
    startup_sec: float
    """From the beginning of the command to the first batch of pixels."""
    size_bytes: int | None
    """Renditions that were read; None: unknown."""
    measured_at: str
    """ISO 8601, UTC."""


@dataclass(kw_only=True)
class Watch:
    """Times a run."""

    began: float
    """When its command began, by the monotonic clock."""
    first: float | None = None
    """When the first batch of pixels was there."""

    def over(self, batches: Iterable[T]) -> Iterator[T]:
        """Yield the batches, and note when the first one is there."""
        for batch in batches:
            if self.first is None:
                self.first = time.monotonic()
            yield batch

    def run(self, *, device: str, clips: int, size_bytes: int | None) -> Run:
        """Return what was measured of a run that ends now and had one batch at least."""
        assert self.first is not None, "no batch came"
        return Run(
            device=device, clips=clips, seconds=time.monotonic() - self.first, startup_sec=self.first - self.began,
            size_bytes=size_bytes, measured_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Rate:
    """How fast one work is done on one device."""

    device: str
    runs: Sequence[Run]
    """The newest first; at least one."""

    @property
    def clips_per_s(self) -> float:
        """Clips in a second of scoring, of all runs together: a long one says more than a short one."""
        return sum(run.clips for run in self.runs) / max(1e-9, sum(run.seconds for run in self.runs))

    @property
    def startup_sec(self) -> float:
        """Seconds until a run begins to score."""
        return median(run.startup_sec for run in self.runs)

    @property
    def bytes_per_clip(self) -> float | None:
        """Bytes of renditions that are read for a clip; None: unknown."""
        sized = [(run.size_bytes, run.clips) for run in self.runs if run.size_bytes is not None]
        return sum(size for size, _ in sized) / sum(clips for _, clips in sized) if sized else None

    def seconds(self, clips: float, tasks: int = 1) -> float:
        """Return the seconds of this device that so many clips take, in so many commands."""
        return tasks * self.startup_sec + clips / self.clips_per_s

    def words(self, clips: float, tasks: int = 1) -> str:
        """Return the same in words, with what it rests on."""
        startup = span(tasks * self.startup_sec) + (
            f" of it to start {tasks} times" if tasks > 1 else " of it to start"
        )
        over = f"{counted(sum(run.clips for run in self.runs), 'clip')} of {counted(len(self.runs), 'run')}"
        return (
            f"about {span(self.seconds(clips, tasks))} on {self.device}, {startup}; measured: "
            f"{self.clips_per_s:.3g} clips/s over {over}, last on {self.runs[0].measured_at[:10]}"
        )


def write_run(store: Store, work: Work, run: Run) -> None:
    """Write down a run; of its work on its device the oldest ones go."""
    folder = _folder(work, run.device)
    name = f"{folder}{run.measured_at.replace(':', '')}-{secrets.token_hex(4)}.json"
    store.put(name, (json.dumps(asdict(run), indent=1, sort_keys=True) + "\n").encode())
    for older in sorted(store.names(folder))[:-NEWEST]:
        store.delete(older)


def rates(store: Store, work: Work) -> list[Rate]:
    """Return what is known of this work, device by device in order of their names."""
    return _by_device(_read(store, f"{RATES}{work.key}/"))


def rate_on(store: Store, work: Work, device: str) -> Rate | None:
    """Return what is known of this work on a device; None: it never did it."""
    found = _by_device(_read(store, _folder(work, device)))
    return found[0] if found else None


def _folder(work: Work, device: str) -> str:
    return f"{RATES}{work.key}/{content_hash(device)}/"


def _by_device(runs: Iterator[Run]) -> list[Rate]:
    found: dict[str, list[Run]] = {}
    for run in sorted(runs, key=lambda run: run.measured_at, reverse=True):
        found.setdefault(run.device, []).append(run)
    return [Rate(device=device, runs=found[device]) for device in sorted(found)]


def _read(store: Store, prefix: str) -> Iterator[Run]:
    """Yield the runs below a prefix; what is none is named and left out, since a plan must not fail for it."""
    for name in store.names(prefix):
        try:
            run = Run(**json.loads(store.get(name)))
            if not (run.clips > 0 and run.seconds > 0 and run.startup_sec >= 0):
                raise ValueError(f"{run.clips} clips in {run.seconds} s")
            yield run
        except NotMade:
            continue  # a run that ended meanwhile has deleted it
        except (ValueError, TypeError) as error:
            print_line(f"{name}: says nothing of a run ({error}), it is left out; delete it")


def size_of(store: Store, clips: pa.Table, views: Collection[View]) -> int | None:
    """Return about how many bytes of renditions are decoded, by the size of some; None: none of these is there.

    Args:
        store: where they are.
        clips: has the columns proxy_128 and proxy_256.
        views: how each clip is decoded.

    """
    columns = {"proxy_128" if view.small else "proxy_256" for view in views}
    sizes = [_size_of(store, clips[column].unique().to_pylist()) for column in sorted(columns)]
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None


def _size_of(store: Store, names: Sequence[str]) -> int | None:
    some = names[:: max(1, -(-len(names) // _SIZED))]
    sizes = [one.size_bytes for name in some for one in store.objects(name) if one.name == name]
    return round(len(names) * sum(sizes) / len(sizes)) if sizes else None


def expected(store: Store, work: Work, device: str, clips: int, size_bytes: int | None) -> str:
    """Return in words what it takes on a device to score so many clips, whose renditions have so many bytes."""
    known = rate_on(store, work, device)
    took = known.words(clips) if known else f"unknown time on {device}, where no run with {work} was measured"
    return f"{counted(clips, 'clip')} with {work}; {size_words(size_bytes)}; {took}"


def size_words(size_bytes: float | None) -> str:
    """Return the bytes of renditions in words."""
    return "renditions of unknown size" if size_bytes is None else f"about {amount(size_bytes)} of renditions"
