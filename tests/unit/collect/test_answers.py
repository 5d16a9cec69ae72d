"""What a stranger's server says becomes a number, a moment, an address, bytes - or a reason. Nothing else."""

import io
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import pytest
import raw_server
import urllib3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from raw_server import RawServer

from slac_tasks.collect.downloads import files
from slac_tasks.collect.downloads.answers import Answer, Part
from slac_tasks.collect.downloads.hosts import Hosts
from slac_tasks.collect.downloads.reasons import Unfetched
from slac_tasks.collect.downloads.web import Web, probe
from slac_tasks.collect.settings import Fetch

# Pauses are planned and never waited for: nothing of an exchange depends on the clock.
LIMITS = Fetch(requests_per_sec=1e9, bytes_per_sec=1e12, timeout_sec=5.0, max_wait_sec=0.0, max_download_sec=5.0)
LONG = "9" * 5000
ODD_NUMBERS = (
    "", "0", "5", "5,5", "5, 6", "-1", "+5", "5.0", "1e3", "0x5", "\xb2", "\xb25", LONG, "five", "5 5", "1_0",
)  # fmt: skip
ODD_DATES = (
    "Mon, 05 Jan 2026 00:00:00 GMT", "Mon, 05 Jan 2024 00:00:00 +99999999999999", "Mon, 05 Jan 0001 00:00:00 +2359",
    "Fri, 31 Dec 9999 23:59:59 -2359", "Mon, 99 Jan 2026 99:99:99 GMT", "5 Jan", "Mon, 05 Jan 2026", "\xb2", ",", "0",
    f"Mon, 05 Jan {LONG} 00:00:00 GMT", "Monday, 05-Jan-26 00:00:00 GMT", "Mon Jan  5 00:00:00 2026", "a b c d e f",
)  # fmt: skip
ODD_RANGES = (
    "bytes 0-4/5", "bytes 0-4/*", "bytes 5-9/10", "bytes 4-0/5", "bytes 0-9/5", "bytes */5", f"bytes */{LONG}",
    f"bytes {'0' * 5000}-1/2", "bytes \xb2-\xb3/\xb9", "items 0-4/5", "bytes=0-4/5", "bytes 0-4", "", "BYTES 0-4/5",
)  # fmt: skip
ODD_PLACES = (
    "http://[", "http://[::1", "http://[v1.x]/", "http://\x00/", "http://127.0.0.1:99999/", "http://127.0.0.1:x/",
    "file:///etc/passwd", "//", "///", "?", "#", "http:", "http://", "http:///x", "http://a b/", "http://\xe9\xff.xy/",
    "http://" + "a" * 300 + ".xy/", "http://" + "x." * 200 + "y/", "ftp://127.0.0.1/", "javascript:1", "\xb2", "..",
    "http://127.0.0.1:0/", "http://127.0.0.1:1/", "/next", "http://.../", "http://%00/", "http://\xe2\x84\x80",
)  # fmt: skip
ENCODINGS = ("identity", "gzip", "br", "gzip, gzip", "deflate", "aws-chunked", "\xb2", "chunked", ",", "identity, x")
TAGS = ('"one"', 'W/"weak"', "bare", '"', '"a\x0bb"', '"\xb2"', '"' + "x" * 9000 + '"', "W/", "* , *")
FRAMINGS = ("chunked", "gzip", "chunked, chunked", "identity", "\xb2")


def answer(status: int = 200, **headers: str) -> Answer:
    response = urllib3.HTTPResponse(
        body=io.BytesIO(),
        preload_content=False,
        status=status,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
    return Answer(response, "http://host.example/folder/file", threading.Event())


@pytest.mark.parametrize(("text", "size"), [("", None), ("0", 0), ("5", 5), ("5, 5", 5), (" 007 ", 7)])
def test_a_size_is_a_number_or_unsaid(text: str, size: int | None) -> None:
    assert answer(Content_Length=text).size == size


@pytest.mark.parametrize("text", [odd for odd in ODD_NUMBERS if odd not in ("", "0", "5", "5,5", "5, 6")])
def test_a_size_that_is_no_number_is_a_reason(text: str) -> None:
    with pytest.raises(Unfetched, match="bad answer: Content-Length is") as no:
        _ = answer(Content_Length=text).size
    assert no.value.retryable
    assert len(str(no.value)) < 500


def test_a_part_is_three_numbers_that_agree() -> None:
    assert answer(206, Content_Range="bytes 0-4/5").part == Part(first=0, last=4, whole=5)
    assert answer(206, Content_Range="bytes 3-4/*").part == Part(first=3, last=4, whole=None)
    for text in set(ODD_RANGES) - {"bytes 0-4/5", "bytes 0-4/*", "bytes 5-9/10", "BYTES 0-4/5"}:
        with pytest.raises(Unfetched, match="bad answer: Content-Range is"):
            _ = answer(206, Content_Range=text).part
    assert answer(416, Content_Range="bytes */5").whole_size == 5
    assert answer(416, Content_Range="bytes */" + LONG).whole_size is None


def test_a_pause_is_seconds_or_a_date_and_never_longer_than_a_year() -> None:
    assert answer(Retry_After="7").pause_sec == 7
    assert answer(Retry_After="Mon, 05 Jan 2026 00:00:00 GMT").pause_sec == 0
    soon = answer(Retry_After=format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)).pause_sec
    assert soon is not None
    assert 80 < soon <= 90
    for zone in (timezone(timedelta(hours=14)), timezone(-timedelta(hours=11)), None):  # None: UTC, written as -0000
        moment = (datetime.now(UTC) + timedelta(seconds=90)).astimezone(zone or UTC)
        pause = answer(Retry_After=format_datetime(moment if zone else moment.replace(tzinfo=None))).pause_sec
        assert pause is not None
        assert 80 < pause <= 90
    year = 366 * 86_400
    assert answer(Retry_After=LONG).pause_sec == answer(Retry_After="Fri, 31 Dec 9999 23:59:59 GMT").pause_sec == year
    for text in ("", "soon", "-1", "\xb2", "1.5", "Mon, 05 Jan 2024 00:00:00 +99999999999999"):
        assert answer(Retry_After=text).pause_sec is None


def test_only_a_strong_validator_names_bytes() -> None:
    assert answer(ETag='"one"').validator == '"one"'
    assert answer(ETag="bare").validator == "bare"
    for tag in set(TAGS) - {'"one"', "bare"}:
        assert answer(ETag=tag).validator == ""
    old = "Mon, 05 Jan 2026 00:00:00 GMT"
    assert answer(Last_Modified=old, Date="Mon, 05 Jan 2026 00:00:01 GMT").validator == old
    assert answer(Last_Modified=old, Date=old).validator == ""
    for text in ODD_DATES[1:]:
        assert answer(Last_Modified=text, Date="0").validator == ""


def test_a_redirect_names_an_address() -> None:
    assert answer(302, Location="../next?a#b").following == "http://host.example/next?a#b"
    assert answer(302, Location="/caf\xc3\xa9").following == "http://host.example/caf\xe9"
    assert answer(302, Location="/caf\xe9").following == "http://host.example/caf\xe9"
    assert answer(302).following is answer(200, Location="/x").following is None
    with pytest.raises(Unfetched, match="bad address: Location is 'http://\\['") as no:
        _ = answer(302, Location="http://[").following
    assert not no.value.retryable


def test_packed_bytes_are_not_the_file() -> None:
    with pytest.raises(Unfetched, match="packed: Content-Encoding is 'gzip', want none"):
        answer(Content_Encoding="gzip").read()
    assert answer(Content_Encoding="aws-chunked").read() == b""


@pytest.fixture(scope="module")
def server() -> Iterator[RawServer]:
    known = socket.getaddrinfo
    with pytest.MonkeyPatch.context() as patch, raw_server.running() as running:
        # Redirects lead to names of nobody, which no resolver shall be asked for.
        patch.setattr(socket, "getaddrinfo", lambda *given, **_: known(*given, flags=socket.AI_NUMERICHOST))
        yield running


def _headers() -> st.SearchStrategy[list[tuple[str, str]]]:
    text = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=30)
    pools = {
        "Content-Length": ODD_NUMBERS, "Content-Range": ODD_RANGES, "Retry-After": ODD_NUMBERS + ODD_DATES,
        "Last-Modified": ODD_DATES, "Date": ODD_DATES, "ETag": TAGS, "Content-Encoding": ENCODINGS,
        "Location": ODD_PLACES, "Transfer-Encoding": FRAMINGS, "Set-Cookie": ("a=b", LONG), "X": ("", LONG),
    }  # fmt: skip
    known = [st.tuples(st.just(name), st.sampled_from(pool) | text) for name, pool in pools.items()]
    return st.lists(st.one_of(*known, st.tuples(text, text)), max_size=5)


STATUSES = st.sampled_from(
    (*[b"200 OK"] * 8, *[b"206 Partial"] * 4, b"302 Found", b"416 Unmet", b"429 Slow", b"503 Busy", b"304", b"299",
     b"101 Switch", b"103", b"204 None", b"407", b"600", b"999", b"099", b"1000", b"-1", b"2_0", b"\xb2\xb0\xb0 OK",
     b"", b"abc")
)  # fmt: skip
VERSIONS = st.sampled_from((b"HTTP/1.1 ", b"HTTP/1.0 ", b"HTTP/9.9 ", b"HTTP/1.1", b"ICY ", b"", b"\xff\xfe"))
BODIES = st.sampled_from(
    (b"", b"12345", b"x" * 3000, b"5\r\n12345\r\n0\r\n\r\n", b"-5\r\n12345\r\n", b"FFFFFFFFFFFFFFFF\r\n1", b"zz\r\n",
     b"5;" * 40_000)
)  # fmt: skip


@st.composite
def _exchanges(draw: st.DrawFn) -> bytes:
    """Bytes that a server answers with: mostly HTTP with odd parts, now and then no HTTP at all."""
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return draw(st.binary(max_size=200))
    if kind == 1:
        return b"HTTP/1.1 302 Found\r\nLocation: %b\r\n\r\n" % draw(st.sampled_from(ODD_PLACES)).encode("latin-1")
    head = (draw(VERSIONS) if kind == 2 else b"HTTP/1.1 ") + draw(STATUSES) + b"\r\n"
    for name, value in draw(_headers()):
        head += f"{name}: {value}\r\n".encode("latin-1")
    return head + b"\r\n" + draw(BODIES)


def test_every_exchange_ends_with_a_file_or_a_reason(server: RawServer, tmp_path: Path) -> None:
    web = Web(LIMITS, allow_private=True)
    address = f"http://127.0.0.1:{server.port}/video"
    target = tmp_path / "original"
    ended: Counter[str] = Counter()

    def exchange(answer: bytes, ask: Callable[[], None]) -> str:
        # An earlier refusal must not keep the server from being asked.
        web.hosts = Hosts(LIMITS)
        server.answers = [answer, b"HTTP/1.1 404 Not here\r\n\r\n"]
        began = time.monotonic()
        try:
            ask()
        except Unfetched as no:
            return no.reason
        finally:
            assert time.monotonic() - began < 4
        return "done"

    # Five exchanges for each example: downloads that go on where the one before ended, then a probe.
    @settings(max_examples=400, database=None, suppress_health_check=list(HealthCheck))
    @given(answers=st.lists(_exchanges(), min_size=5, max_size=5))
    def exchanges(answers: list[bytes]) -> None:
        files.delete(target)
        for one in answers[:4]:
            reason = exchange(one, lambda: files.download(web, address, target, name="n", max_bytes=2000))
            ended[reason] += 1
            assert reason != "done" or target.stat().st_size <= 2000
        ended[exchange(answers[4], lambda: probe(web, address))] += 1

    exchanges()
    assert ended.total() >= 2000
    # The exchanges were no noise that fails at its first byte.
    assert ended.keys() >= {"done", "bad answer", "bad address", "network", "refused", "server error"}
