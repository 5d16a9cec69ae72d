"""Event files, which TensorBoard reads: a curve as records of protocol buffers, written without a package.

TensorBoard's own writer brings a web server and gRPC; a point of a curve is five fields. The format is that of
TensorFlow's `event.proto`, `summary.proto` and `record_writer.cc`.
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Point:
    """What is known of a run after a step."""

    step: int
    at_sec: float
    """Seconds since 1970."""
    values: Mapping[str, float]
    """By name; a `/` in it groups curves."""


def encode_events(points: Iterable[Point]) -> bytes:
    """Return an event file of points."""
    points = list(points)
    start = points[0].at_sec if points else 0.0
    version = _field(3, 2, _sized(b"brain.Event:2"))
    return b"".join([_record(_event(start, 0, version)), *(_record(_of_point(point)) for point in points)])


def _of_point(point: Point) -> bytes:
    values = b"".join(_field(1, 2, _sized(_value(name, value))) for name, value in sorted(point.values.items()))
    return _event(point.at_sec, point.step, _field(5, 2, _sized(values)))


def _event(at_sec: float, step: int, what: bytes) -> bytes:
    return _field(1, 1, struct.pack("<d", at_sec)) + _field(2, 0, _varint(step)) + what


def _value(name: str, value: float) -> bytes:
    return _field(1, 2, _sized(name.encode())) + _field(2, 5, struct.pack("<f", value))


def _field(number: int, kind: int, data: bytes) -> bytes:
    return _varint(number << 3 | kind) + data


def _sized(data: bytes) -> bytes:
    return _varint(len(data)) + data


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def _record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + _masked(length) + data + _masked(data)


def _masked(data: bytes) -> bytes:
    """Return the checksum as records have it: turned, so that one of data that holds checksums is none of these."""
    value = crc32c(data)
    return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _row(number: int) -> int:
    for _ in range(8):
        number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)
    return number


_ROWS = tuple(map(_row, range(256)))


def crc32c(data: bytes) -> int:
    """Return the CRC-32C (Castagnoli) of bytes, RFC 3720."""
    value = 0xFFFFFFFF
    for byte in data:
        value = _ROWS[(value ^ byte) & 0xFF] ^ value >> 8
    return value ^ 0xFFFFFFFF
