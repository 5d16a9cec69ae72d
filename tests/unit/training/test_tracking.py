"""The curve of a run: event files that TensorBoard reads, and trackers that the environment names."""

import struct
import sys
from collections.abc import Iterator, Sequence

import pytest

from slac_tasks.errors import NotConfigured
from slac_tasks.training.events import Point, crc32c, encode_events
from slac_tasks.training.tracking import MOST_POINTS, Curve, TensorBoard, trackers


def points(*steps: int) -> list[Point]:
    return [Point(step=step, at_sec=1.7e9 + step, values={"train/loss": 1 / step, "train/rate": 0.5}) for step in steps]


def test_the_checksum_is_that_of_the_standard() -> None:
    # RFC 3720, B.4
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E


def records(data: bytes) -> Iterator[bytes]:
    while data:
        (size,) = struct.unpack("<Q", data[:8])
        yield data[12 : 12 + size]
        data = data[16 + size :]


def test_an_event_file_holds_its_version_and_a_record_for_each_point() -> None:
    version, first, last = records(encode_events(points(1, 300)))
    assert version.endswith(b"\x1a\x0dbrain.Event:2")
    assert first[:9] == b"\x09" + struct.pack("<d", 1.7e9 + 1)
    assert first[9:11] == b"\x10\x01"
    assert last[9:12] == b"\x10\xac\x02"
    assert b"\x0a\x0atrain/loss\x15" + struct.pack("<f", 1.0) in first
    assert b"\x0a\x0atrain/rate\x15" + struct.pack("<f", 0.5) in last


def test_each_call_writes_a_file_that_is_named_by_its_first_step_as_tensorboard_wants_it() -> None:
    written: dict[str, bytes] = {}
    tracker = TensorBoard(written.__setitem__)
    parts = (points(1, 2), points(3), points(3, 4))  # the last one after a kill
    for part in parts:
        tracker.take(part)
    first, second = sorted(written)
    assert (first[:20], second[:20]) == ("events.out.tfevents.",) * 2
    assert (written[first], written[second]) == (encode_events(parts[0]), encode_events(parts[2]))


def test_tensorboard_reads_what_was_written(tmp_path) -> None:
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason="no tensorboard here")
    for part in (points(1, 2), points(3)):
        TensorBoard(lambda name, data: (tmp_path / name).write_bytes(data) and None).take(part)
    found = reader.EventAccumulator(str(tmp_path)).Reload()
    assert [(one.step, one.value) for one in found.Scalars("train/loss")] == [
        (n, pytest.approx(1 / n)) for n in (1, 2, 3)
    ]


class Unreachable:
    name = "a server"

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.reached = False

    def take(self, points: Sequence[Point]) -> None:
        if not self.reached:
            raise ConnectionError("no route")
        self.taken += [point.step for point in points]

    def close(self) -> None: ...


def test_a_tracker_that_was_out_of_reach_gets_its_points_later(capsys: pytest.CaptureFixture[str]) -> None:
    tracker = Unreachable()
    curve = Curve(steps=10, trackers=[tracker])
    for point in points(1, 2):
        curve.add(point)
    curve.flush()
    assert "a server lacks 2 points: ConnectionError: no route" in capsys.readouterr().err
    tracker.reached = True
    curve.add(*points(3))
    curve.close()
    assert tracker.taken == [1, 2, 3]
    assert capsys.readouterr().err == ""


def test_a_long_run_has_no_more_points_than_can_be_seen() -> None:
    curve = Curve(steps=300_000, trackers=[Unreachable()])
    assert MOST_POINTS * 0.9 < sum(map(curve.wants, range(1, 300_001))) <= MOST_POINTS
    assert all(map(Curve(steps=9, trackers=[Unreachable()]).wants, range(1, 10)))
    assert not Curve(steps=9).wants(1)


@pytest.mark.parametrize(("variable", "package"), [("MLFLOW_TRACKING_URI", "mlflow"), ("WANDB_MODE", "wandb")])
def test_a_tracker_without_its_package_is_refused_by_name(monkeypatch, variable: str, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    with pytest.raises(NotConfigured, match=rf"{variable} is set, but the package {package} cannot be imported"):
        trackers({variable: "offline"}, "r", {})
    assert trackers({}, "r", {}) == []
