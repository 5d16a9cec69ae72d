"""Downloads from a real server that fails on purpose."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import planned_server
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from planned_server import Planned, cut, serve, status

from slac_tasks.collect.downloads import addresses, files, hosts, reasons, scratch
from slac_tasks.collect.downloads.hosts import Hosts
from slac_tasks.collect.downloads.reasons import Unfetched
from slac_tasks.collect.downloads.scratch import alone, own_folder, sweep
from slac_tasks.collect.downloads.turns import in_turn
from slac_tasks.collect.downloads.web import Web, host_of, probe
from slac_tasks.collect.settings import Fetch
from slac_tasks.errors import NotConfigured, Temporary
from slac_tasks.model import content_hash
from slac_tasks.scratch import Scratch

DATA = bytes(range(256)) * 64


@pytest.fixture(scope="module")
def server() -> Iterator[Planned]:
    with planned_server.running() as planned:
        yield planned


def web(**limits: float) -> Web:
    return Web(Fetch(**{"requests_per_sec": 1000.0, "timeout_sec": 5.0, **limits}), allow_private=True)  # type: ignore[arg-type]


def download(server: Planned, path: str, target: Path, *, max_bytes: int = 1 << 20, name: str = "n") -> None:
    files.download(web(max_download_sec=1.0), server.url + path, target, name=name, max_bytes=max_bytes)


def lookup(monkeypatch: pytest.MonkeyPatch, address: Callable[[], str], name: str) -> None:
    """Let one name have these addresses."""
    real = socket.getaddrinfo

    def found(host: str, port: int, *rest: object, **more: object) -> Any:
        return real(address() if host == name else host, port, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", found)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True), ("10.0.0.1", False), ("127.0.0.1", False), ("169.254.169.254", False),
        ("100.64.0.1", False), ("0.0.0.0", False), ("224.0.0.1", False), ("::1", False), ("fe80::1%eth0", False),
        ("::ffff:127.0.0.1", False), ("::ffff:93.184.216.34", True), ("2002:0a00:0001::", False),
        ("64:ff9b::a00:1", False), ("64:ff9b::5db8:d822", True), ("fd00::1", False), ("2606:4700::1111", True),
        ("192.0.0.8", False), ("192.0.0.9", True), ("192.0.0.170", False), ("192.88.99.1", False),
        ("198.19.0.1", False),
        ("203.0.113.7", False), ("240.0.0.1", False), ("255.255.255.255", False), ("64:ff9b:1::5db8:d822", False),
        ("::5db8:d822", False), ("::ffff:0:5db8:d822", False), ("fec0::1", False), ("3fff::1", False),
        ("5f00::1", False), ("100::1", False), ("100:0:0:1::1", False), ("2001:2::1", False), ("2001:1::1", True),
        ("2001:1::4", False), ("2001:3::1", True), ("2001:20::1", True), ("2001:10::1", False), ("2001:db8::1", False),
        ("2001:4:112::1", True), ("2001:200::1", True), ("2620:4f:8000::1", True), ("ff02::1", False),
        ("4000::1", False),
        ("2002:5db8:d822::", True), ("2001:0:5db8:d822:0:0:a247:27dd", True), ("2001:0:5db8:d822:0:0:f5ff:fffe", False),
        ("2001:0:a00:1:0:0:a247:27dd", False),
    ],
)  # fmt: skip
def test_only_addresses_of_the_internet_are_public(address: str, public: bool) -> None:
    assert addresses.is_public(address) is public


@given(inner=st.ip_addresses(v=4))
def test_an_address_that_wraps_another_is_as_public_as_that(inner: IPv4Address) -> None:
    number = int(inner)
    wraps = {
        "mapped": 0xFFFF << 32 | number,
        "NAT64": 0x64FF9B << 96 | number,
        "6to4": 0x2002 << 112 | number << 80 | 1,
        "Teredo": 0x20010000 << 96 | number << 64 | number ^ 0xFFFFFFFF,
    }
    found = {kind: addresses.is_public(str(IPv6Address(wrap))) for kind, wrap in wraps.items()}
    assert found == dict.fromkeys(wraps, addresses.is_public(str(inner)))


def test_a_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(2, 1, 6, "", (address, 80)) for address in ("93.184.216.34", "10.0.0.7")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(Unfetched, match=r"refused address: two\.example is 10\.0\.0\.7"):
        addresses.resolve("two.example", 80, allow_private=False)


def test_the_address_that_was_checked_is_the_one_that_is_asked(
    server: Planned, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # A name that changes its mind: whoever looked it up twice would end elsewhere.
    answers = iter(["127.0.0.1", "192.0.2.1"])
    lookup(monkeypatch, lambda: next(answers), "changing.example")
    server.paths["/rebind"] = serve(DATA)
    port = server.url.rpartition(":")[2]
    files.download(web(), f"http://changing.example:{port}/rebind", tmp_path / "a", name="n", max_bytes=1 << 20)
    assert server.asked[-1][2]["Host"] == f"changing.example:{port}"
    assert next(answers) == "192.0.2.1"


def test_every_failure_has_its_reason(server: Planned, tmp_path: Path) -> None:
    server.paths |= {
        "/410": status(410), "/403": status(403), "/451": status(451), "/400": status(400), "/500": status(500),
        "/416": status(416, Content_Range="bytes */0"), "/429": status(429, Retry_After="0"),
        "/loop": status(302, Location="/loop"),
        "/endless": planned_server.endless,
        "/file": status(302, Location="file:///etc/passwd"), "/slow": planned_server.trickle,
        "/short": cut(DATA, iter([100, 100, 100])), "/large": serve(b"x" * (1 << 20) + b"x"),
    }  # fmt: skip
    want = {
        "/404": ("gone", False), "/410": ("gone", False), "/403": ("private", False), "/451": ("region", False),
        "/400": ("refused", False), "/416": ("refused", False), "/500": ("server error", True),
        "/429": ("rate-limited", True),
        "/loop": ("bad address", False), "/file": ("bad address", False), "/short": ("wrong length", True),
        "/large": ("too large", False), "/endless": ("too large", False), "/slow": ("too slow", True),
    }  # fmt: skip
    found = {}
    for path in want:
        with pytest.raises(Unfetched) as no:
            download(server, path, tmp_path / path[1:])
        found[path] = (no.value.reason, no.value.retryable)
    assert found == want
    with pytest.raises(Unfetched, match="network") as no:
        probe(web(), "http://127.0.0.1:1/")
    assert no.value.retryable


def test_what_is_cut_off_since_it_took_too_long_is_no_whole_file(server: Planned, tmp_path: Path) -> None:
    def unsaid(handler: planned_server.Handler) -> None:
        """Send a byte now and then, of a file whose length is not said: its end is that of the connection."""
        handler.head(200)
        while True:
            handler.wfile.write(b"x")
            time.sleep(0.02)

    server.paths["/unsaid"] = unsaid
    with pytest.raises(Unfetched, match="too slow") as no:
        files.download(web(max_download_sec=0.2), server.url + "/unsaid", tmp_path / "a", name="n", max_bytes=1 << 20)
    assert no.value.retryable


@pytest.mark.parametrize(("code", "there"), [(200, True), (206, True), (416, True), (404, False), (204, False)])
def test_a_file_is_there_if_it_can_be_read_or_is_empty(server: Planned, code: int, there: bool) -> None:
    server.paths["/there"] = status(code)
    with nullcontext() if there else pytest.raises(Unfetched, match=f"status {code}"):
        probe(web(), server.url + "/there")


def test_a_redirect_into_the_private_network_is_refused(server: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
    server.paths["/inward"] = status(302, Location=server.url.replace("127.0.0.1", "inside.example") + "/secret")
    real = addresses.is_public
    monkeypatch.setattr(addresses, "is_public", lambda address: address == "127.0.0.1" or real(address))
    lookup(monkeypatch, lambda: "10.1.2.3", "inside.example")
    strict = Web(Fetch(), allow_private=False)
    with pytest.raises(Unfetched, match=r"refused address: inside\.example is"):
        probe(strict, server.url + "/inward")


@pytest.mark.parametrize("redirects", [5, 6])
def test_five_redirects_are_followed_and_no_more(server: Planned, redirects: int) -> None:
    server.paths |= {f"/hop{at}": status(302, Location=f"/hop{at - 1}") for at in range(1, 7)} | {"/hop0": serve(b"x")}
    with pytest.raises(Unfetched, match="more than 5 redirects") if redirects > 5 else nullcontext():
        probe(web(), f"{server.url}/hop{redirects}")


def test_an_address_without_a_path_is_that_of_the_root(server: Planned) -> None:
    server.paths["/"] = serve(b"x")
    probe(web(), server.url)
    probe(web(), f"{server.url}?q=1")


@pytest.mark.parametrize(
    ("code", "method", "after"),
    # RFC 9110, 15.4: a POST may become a GET after 301 and 302, and does after 303; after 307 and 308 nothing changes.
    [(301, "POST", "GET"), (302, "POST", "GET"), (303, "POST", "GET"), (307, "POST", "POST"), (308, "POST", "POST"),
     (302, "GET", "GET"), (307, "GET", "GET")],
)  # fmt: skip
def test_what_is_sent_goes_along_where_the_method_stays(server: Planned, code: int, method: str, after: str) -> None:
    found = []

    def there(handler: planned_server.Handler) -> None:
        sent = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        found.append((handler.command, sent))
        handler.head(200, Content_Length="0")

    server.paths |= {"/from": status(code, Location="/there"), "/there": there}
    body = b"words" if method == "POST" else None
    with web().ask(f"{server.url}/from", method=method, body=body) as answer:
        assert answer.status == 200
    assert found == [(after, b"words" if after == "POST" else b"")]


@pytest.mark.parametrize("elsewhere", ["another host", "another port"])
def test_credentials_do_not_follow_a_redirect_to_another_origin(
    server: Planned, monkeypatch: pytest.MonkeyPatch, elsewhere: str
) -> None:
    secret = {"Authorization": "Bearer 1", "cookie": "session=1", "X-Api-Key": "1"}
    with planned_server.running() as other:
        lookup(monkeypatch, lambda: "127.0.0.1", "stranger.example")
        away = server.url.replace("127.0.0.1", "stranger.example") if elsewhere == "another host" else other.url
        server.paths |= {"/same": status(302, Location="/away"), "/away": status(307, Location=away + "/back"),
                         "/end": status(204)}  # fmt: skip
        # The way back to the first origin does not bring them back.
        for planned in (server, other):
            planned.paths["/back"] = status(302, Location=server.url + "/end")
        with web().ask(server.url + "/same", headers={**secret, "Range": "bytes=0-0"}) as answer:
            assert answer.status == 204
        asked = {path: headers for _, path, headers in [*server.asked[-4:], *other.asked]}
    seen = {path: {name.lower() for name in headers} for path, headers in asked.items()}
    for path in ("/same", "/away"):
        assert seen[path] >= {"authorization", "cookie", "x-api-key", "range"}
    for path in ("/back", "/end"):
        assert not seen[path] & {"authorization", "cookie", "x-api-key"}
        assert "range" in seen[path]


def test_a_part_that_is_not_all_of_the_file_is_no_file(server: Planned, tmp_path: Path) -> None:
    target = tmp_path / "original"

    def first_half(handler: planned_server.Handler) -> None:
        start = int(handler.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
        part = DATA[start : start + len(DATA) // 2]
        handler.head(206, ETag='"one"', Content_Length=str(len(part)),
                     Content_Range=f"bytes {start}-{start + len(part) - 1}/{len(DATA)}")  # fmt: skip
        handler.wfile.write(part)

    server.paths["/half"] = first_half
    with pytest.raises(Unfetched, match="wrong length: 8192 bytes, want 16384"):
        download(server, "/half", target)
    download(server, "/half", target)
    assert target.read_bytes() == DATA


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(min_size=1, max_size=3000), cuts=st.lists(st.integers(0, 1500), max_size=5))
def test_however_often_it_is_cut_the_bytes_are_the_same(server: Planned, data: bytes, cuts: list[int]) -> None:
    server.paths["/cut"] = cut(data, iter(cuts))
    patient = web()
    with Scratch() as folder:
        target = folder / "original"
        for _ in range(len(cuts) + 1):
            try:
                files.download(patient, server.url + "/cut", target, name="n", max_bytes=5000)
            except Unfetched:
                assert data.startswith(target.read_bytes())
            else:
                break
        assert target.read_bytes() == data


def test_a_part_is_gone_on_with_only_if_the_server_still_has_it(server: Planned, tmp_path: Path) -> None:
    target = tmp_path / "original"
    server.paths["/v"] = cut(DATA, iter([1000]))
    with pytest.raises(Unfetched):
        download(server, "/v", target)
    server.paths["/v"] = serve(DATA[::-1], tag='"two"')
    download(server, "/v", target)
    assert target.read_bytes() == DATA[::-1]
    assert server.asked[-1][2]["If-Range"] == '"one"'
    # A finished file is not asked for again, another video's part never gone on with.
    download(server, "/v", target)
    assert server.asked[-1][2]["Range"] == f"bytes={len(DATA)}-"
    download(server, "/v", target, name="other")
    assert "Range" not in server.asked[-1][2]


def test_a_part_without_a_validator_starts_anew(server: Planned, tmp_path: Path) -> None:
    target = tmp_path / "original"
    server.paths["/w"] = cut(DATA, iter([1000]), tag='W/"weak"')
    with pytest.raises(Unfetched):
        download(server, "/w", target)
    server.paths["/w"] = serve(DATA, tag=None)
    download(server, "/w", target)
    assert "Range" not in server.asked[-1][2]
    assert target.read_bytes() == DATA


def test_a_server_that_answers_with_another_part_is_not_believed(server: Planned, tmp_path: Path) -> None:
    target = tmp_path / "original"
    server.paths["/x"] = cut(DATA, iter([1000]))
    with pytest.raises(Unfetched):
        download(server, "/x", target)
    server.paths["/x"] = lambda handler: handler.head(206, Content_Range="bytes 5-9/10", Content_Length="0")
    with pytest.raises(Unfetched, match="another part"):
        download(server, "/x", target)
    assert not target.exists()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (status(416, Content_Range="bytes */40"), "holds 1000 bytes, which the server does not know"),
        (lambda handler: (handler.head(206, Content_Range="bytes 1000-1099/1100", Content_Length="200"),
                          handler.wfile.write(bytes(200))), "wrong length: 1200 bytes, want 1100"),
    ],
)  # fmt: skip
def test_more_bytes_than_the_server_says_there_are_begin_anew(
    server: Planned, tmp_path: Path, answer: Callable[[planned_server.Handler], None], message: str
) -> None:
    target = tmp_path / "original"
    server.paths["/more"] = cut(DATA, iter([1000]))
    with pytest.raises(Unfetched):
        download(server, "/more", target)
    server.paths["/more"] = answer
    with pytest.raises(Unfetched, match=message) as no:
        download(server, "/more", target)
    assert no.value.retryable
    assert not target.exists()


@pytest.mark.parametrize("says", [True, False], ids=["a size that is said", "a size that is not"])
def test_a_file_may_be_as_large_as_the_bound_and_one_that_says_it_is_larger_is_not_read(
    server: Planned, tmp_path: Path, says: bool
) -> None:
    def unsaid(handler: planned_server.Handler) -> None:
        handler.head(200)
        handler.wfile.write(DATA)
        handler.close_connection = True

    target = tmp_path / "original"
    server.paths["/bound"] = serve(DATA) if says else unsaid
    download(server, "/bound", target, max_bytes=len(DATA))
    assert target.read_bytes() == DATA
    want = f"{len(DATA)} bytes, want at most" if says else "more than"
    with pytest.raises(Unfetched, match=f"too large: {want} {len(DATA) - 1}"):
        download(server, "/bound", tmp_path / "other", max_bytes=len(DATA) - 1)
    assert (tmp_path / "other").exists() is not says


def test_all_bytes_of_a_download_are_of_the_budget_of_its_host(
    server: Planned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent: list[tuple[str, int]] = []
    monkeypatch.setattr(Hosts, "spend", lambda _, host, count: spent.append((host, count)))
    server.paths["/spent"] = serve(DATA)
    download(server, "/spent", tmp_path / "original")
    assert {host for host, _ in spent} == {host_of(server.url)}
    assert sum(count for _, count in spent) == len(DATA)


def test_the_budget_of_a_host_holds_at_the_server(server: Planned) -> None:
    server.paths["/budget"] = serve(b"x")
    limits = Fetch(workers=8, workers_per_host=8, requests_per_sec=20.0)
    strict = Web(limits, allow_private=True)
    url = server.url + "/budget"
    done = list(in_turn([url] * 12, host_of, lambda one: probe(strict, one), strict.hosts, limits))
    assert len(done) == 12
    moments = [at for at, path, _ in server.asked if path == "/budget"]
    # Twelve requests have eleven gaps.
    assert moments[-1] - moments[0] >= 11 / 20 - 0.06


def test_bytes_are_within_the_budget_too() -> None:
    hosts = Hosts(Fetch(bytes_per_sec=1000.0))
    began = time.monotonic()
    for _ in range(6):
        hosts.spend("h", 200)
    assert time.monotonic() - began >= 0.19


def test_retry_after_is_honoured_and_holds_up_nobody_else(server: Planned) -> None:
    replies = iter([status(429, Retry_After="1"), *[serve(b"x")] * 9])
    server.paths["/busy"] = lambda handler: next(replies)(handler)
    limits = Fetch(workers=2, requests_per_sec=1000.0)
    strict = Web(limits, allow_private=True)
    busy, idle = server.url + "/busy", "idle"
    began = time.monotonic()
    ended: dict[str, float] = {}

    def work(url: str) -> None:
        if url == idle:
            return
        with strict.ask(url) as answer:
            if answer.status != 200:
                raise reasons.of_status(answer.status)

    for url, outcome in in_turn([busy, busy, idle], lambda u: host_of(u), work, strict.hosts, limits):
        assert outcome is None
        ended[url] = time.monotonic() - began
    assert ended[idle] < 0.5
    assert ended[busy] >= 1.0
    assert server.count("/busy") == 3


def test_a_pause_that_is_too_long_is_left_for_a_later_run(server: Planned) -> None:
    server.paths["/hour"] = status(503, Retry_After="3600")
    limits = Fetch(requests_per_sec=1000.0)
    strict = Web(limits, allow_private=True)

    def work(url: str) -> None:
        with strict.ask(url) as answer:
            raise reasons.of_status(answer.status)

    found = [no for _, no in in_turn([server.url + "/hour"] * 5, host_of, work, strict.hosts, limits)]
    assert all(isinstance(no, Unfetched) and no.retryable for no in found)
    assert server.count("/hour") <= 2


def test_a_dead_host_costs_a_few_waits_only() -> None:
    strict = web()
    for _ in range(30):
        with pytest.raises(Unfetched):
            probe(strict, "http://127.0.0.1:1/")
    with pytest.raises(Unfetched, match="did not answer 10 times"):
        probe(strict, "http://127.0.0.1:1/")


def mute(handler: planned_server.Handler) -> None:
    """Hang up without an answer."""
    handler.close_connection = True


def test_a_host_that_sends_on_is_not_silent(server: Planned) -> None:
    elsewhere = server.url.replace("127.0.0.1", "localhost")
    server.paths |= {"/mute": mute, "/on": status(302, Location=f"{elsewhere}/there"), "/there": serve(b"x")}
    strict = web()
    for path in (*["/mute"] * 9, "/on", *["/mute"] * 9):
        with pytest.raises(Unfetched, match=r"^network: RemoteDisconnected") if path == "/mute" else nullcontext():
            probe(strict, server.url + path)
    probe(strict, server.url + "/on")


def test_a_host_that_sends_on_to_itself_and_refuses_is_left_alone_for_longer_each_time(
    server: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.paths |= {"/on": status(302, Location="/full"), "/full": status(429)}
    now, pauses, strict = [100.0], [], web()
    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=lambda seconds: now.append(now.pop() + seconds))
    monkeypatch.setattr(hosts, "time", clock)
    for _ in range(4):
        with pytest.raises(Unfetched, match="rate-limited"):
            probe(strict, server.url + "/on")
        pauses.append(strict.hosts.free_at(host_of(server.url)) - now[0])
    assert pauses == [1, 2, 4, 8]


@pytest.mark.parametrize("place", ["/proc", "/dev/null", "/sys"])
def test_a_scratch_folder_that_holds_no_files_is_not_configured(place: str) -> None:
    with pytest.raises(NotConfigured, match=f"fetch.scratch {place}: "), own_folder(Fetch(scratch=place), "key"):
        pass


def test_a_download_that_nobody_goes_on_with_leaves_the_disk_after_a_month(tmp_path: Path) -> None:
    settings, old, new = Fetch(scratch=str(tmp_path)), 30 * 86_400 + 60, 30 * 86_400 - 60
    given_up, later, at_work, no_download = (content_hash(what) for what in ("given up", "later", "at work", "none"))
    for key, age in {given_up: old, later: new, at_work: old, "mine": old}.items():
        with own_folder(settings, key) as folder:
            (folder / "original.part").write_bytes(b"half")
            for path in (folder / "original.part", folder):
                os.utime(path, (time.time() - age,) * 2)
    (tmp_path / no_download).mkdir()
    os.utime(tmp_path / no_download, (0, 0))
    with own_folder(settings, at_work):
        sweep(settings)
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {later, at_work, "mine", no_download}
    assert not (tmp_path / given_up).with_suffix(".lock").exists()


def test_a_lock_that_its_last_holder_deletes_at_this_moment_is_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, real, files_opened = Fetch(scratch=str(tmp_path)), scratch._opened, 0

    def opened(root: Path, key: str) -> Any:
        nonlocal files_opened
        files_opened += 1
        file = real(root, key)
        if files_opened == 1:
            Path(file.name).unlink()
        return file

    monkeypatch.setattr(scratch, "_opened", opened)
    with alone(settings, "key", "work"):
        assert files_opened == 2
        with pytest.raises(Temporary, match="work: another process"), alone(settings, "key", "work"):
            pass
