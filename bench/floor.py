"""Scoring held against the last release, as ratios to a plain loop in one run: `python -m bench.floor [--quick]`.

Two committees of one member are measured, each in turns with the loop that a user writes first, on one thread:

  networks   mc3_18: nearly all of the time is the network's
  clips      frame_resnet18, a small network: what is done for each clip beside it counts as well

A ratio is processor time of the plain loop (bench/harness/plain.py) for a clip over that of `slac score`, the stage
itself, canaries included. The median over the rounds counts, so what is done once, in the first one, does not.
What the last release reached stands in bench/floors.toml, for processors whose AMX multiplies bfloat16 and, in float32,
for all others. `tests/bench/test_floor.py` fails where a ratio is more than a quarter below it. The last line is one
JSON object: each ratio, and its share of the last release's.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Annotated

import torch

from bench.harness import Bench, Figures
from bench.harness.plain import plain, timed
from bench.harness.scoring import WINDOW, Scene, films, scene, scoring, seat
from bench.harness.tables import table
from slac_tasks import toml
from slac_tasks.networks.settings import Scoring
from slac_tasks.stages import score

FLOORS = Path(__file__).with_name("floors.toml")
MOST_LOST = 0.25
"""Share of the last release's ratio that may be lost: more is no noise of a loaded machine."""
MIDDLE_SEC = 1.5
"""Where the plain loop's clip starts: its middle is that of the five seconds between two key frames."""


@dataclass(frozen=True, kw_only=True)
class Contest:
    """One committee against its plain loop, which scores one clip in a round."""

    name: str
    member: str
    clips: int
    """Clips that the stage scores in a round, beside its canaries."""


CONTESTS = (
    Contest(name="networks", member="mc3_18", clips=1),
    Contest(name="clips", member="frame_resnet18", clips=64),
)


@dataclass(frozen=True, kw_only=True)
class Size:
    """How often it is measured."""

    rounds: Annotated[int, "rounds, of which the median counts"] = 9
    precision: Annotated[str, "bfloat16 or float32; auto: bfloat16 where AMX multiplies it, else float32"] = "auto"


@dataclass(frozen=True, kw_only=True)
class Ring:
    """Where a contest is held: clips, and the committee that scores them."""

    contest: Contest
    made: Scene
    committee: str

    def ratio(self, rounds: int) -> float:
        """Return how many times less processor time the stage takes for a clip than the plain loop."""
        one = replace(self.made, starts=[MIDDLE_SEC])
        found = []
        for _ in range(rounds):
            theirs = plain(one, self.contest.member)
            ours = timed(lambda: score.run(scoring(self.made, self.committee, WINDOW)), self.made.device)
            found.append(theirs / (ours / len(self.made.starts)))
        return median(found)


def settled(setting: str) -> str:
    """Return the precision that `Size.precision` stands for on this machine."""
    if setting != "auto":
        return setting
    return "bfloat16" if torch.cpu._is_amx_tile_supported() else "float32"


def rings(folder: Path, precision: str) -> list[Ring]:
    """Make what every contest needs, for this precision."""
    media, found = films(folder, 8), []
    for contest in CONTESTS:
        (own := folder / contest.name).mkdir()
        made = scene(own, media, contest.clips, "cpu")
        made = replace(made, settings=replace(made.settings, scoring=Scoring(precision=precision)))
        found.append(Ring(contest=contest, made=made, committee=seat(made, [contest.member])))
    return found


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute in one thread: those that wait for each other cost processor time, too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def floors(precision: str) -> Mapping[str, float]:
    """Return what the last release reached in this precision, by contest."""
    found: dict[str, float] = toml.read(str(FLOORS))[precision]
    return found


def too_slow(found: Mapping[str, float], floor: Mapping[str, float]) -> list[str]:
    """Return in words which ratios are more than `MOST_LOST` below those of the last release."""
    return [
        f"{name}: {value:.2f} times the plain loop, {1 - value / floor[name]:.0%} below the {floor[name]:.2f} of the "
        f"last release (bench/floors.toml), want at most {MOST_LOST:.0%}"
        for name, value in found.items()
        if not value >= (1 - MOST_LOST) * floor[name]
    ]


def measure(size: Size, folder: Path) -> Figures:
    """Measure the ratios, and print them beside those of the last release."""
    precision = settled(size.precision)
    with one_thread():
        found = {ring.contest.name: ring.ratio(size.rounds) for ring in rings(folder, precision)}
    floor = floors(precision)
    heads = {"contest": "", "ratio": ".2f", "last release": ".2f"}
    print(table(heads, [(name, value, floor[name]) for name, value in found.items()]))
    shares = {f"{name}_share": value / floor[name] for name, value in found.items()}
    return found | shares | {"scale": size.rounds / Size().rounds}


BENCH = Bench(
    name="floor", doc=__doc__, measure=measure,
    full=Size(), quick=Size(rounds=3), tiny=Size(rounds=1),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
