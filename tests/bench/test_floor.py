"""Scoring is as fast against a plain loop as in the last release, and a stage that became slower is found out."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch

from bench import floor
from slac_tasks.networks.inference import Extractor
from slac_tasks.video.pool import Pool

ROUNDS = 3
PRECISION = floor.settled("auto")


@pytest.fixture(scope="module")
def rings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[floor.Ring]]:
    with floor.one_thread():
        yield floor.rings(tmp_path_factory.mktemp("floor"), PRECISION)


def ratios(rings: Sequence[floor.Ring]) -> dict[str, float]:
    return {ring.contest.name: ring.ratio(ROUNDS) for ring in rings}


@pytest.fixture(scope="module")
def found(rings: Sequence[floor.Ring]) -> dict[str, float]:
    """What this machine reaches; a slowed stage is held against it, since how far it is above the floor varies."""
    return ratios(rings)


def test_scoring_is_as_fast_against_a_plain_loop_as_in_the_last_release(
    rings: Sequence[floor.Ring], found: dict[str, float]
) -> None:
    if floor.too_slow(found, floor.floors(PRECISION)):
        # Once more: what else the machine does can be seen in three rounds, and hardly in six.
        assert floor.too_slow(ratios(rings), floor.floors(PRECISION)) == []


def test_a_network_that_works_twice_is_found_out(
    rings: Sequence[floor.Ring], found: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Extractor.on_device

    def twice(extractor: Extractor, clips: torch.Tensor) -> torch.Tensor:
        whole(extractor, clips)
        return whole(extractor, clips)

    monkeypatch.setattr(Extractor, "on_device", twice)
    ring = next(ring for ring in rings if ring.contest.name == "networks")
    (said,) = floor.too_slow({"networks": ring.ratio(1)}, found)
    assert "below the" in said


def test_decoding_that_works_forty_times_is_found_out(
    rings: Sequence[floor.Ring], found: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    # So many, since decoding a clip is a fiftieth of what a small network takes where nothing multiplies bfloat16.
    whole = Pool._decoded_here
    monkeypatch.setattr(Pool, "_decoded_here", lambda pool, cuts: [whole(pool, cuts) for _ in range(40)][-1])
    ring = next(ring for ring in rings if ring.contest.name == "clips")
    assert floor.too_slow({"clips": ring.ratio(ROUNDS)}, found)


def test_a_quarter_less_is_the_last_that_is_allowed() -> None:
    assert floor.too_slow({"networks": 3.0}, {"networks": 4.0}) == []
    assert floor.too_slow({"networks": 2.99}, {"networks": 4.0}) == [
        "networks: 2.99 times the plain loop, 25% below the 4.00 of the last release (bench/floors.toml), "
        "want at most 25%"
    ]
    assert floor.too_slow({"networks": float("nan")}, {"networks": 4.0})


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
def test_the_last_release_is_known_for_both_kinds_of_processors(precision: str) -> None:
    assert floor.floors(precision).keys() == {contest.name for contest in floor.CONTESTS}
    assert Path(floor.FLOORS).read_text(encoding="utf-8").startswith("#")
