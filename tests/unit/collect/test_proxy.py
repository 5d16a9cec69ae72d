"""Strangers' addresses are asked by a proxy where one is named; a real proxy and real servers."""

import socket
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import certifi
import forward_proxy
import planned_server
import pytest
import raw_server
from cryptography import x509
from forward_proxy import Proxied
from planned_server import Planned, serve, status
from private_authority import sign

from slac_tasks.collect.downloads import files
from slac_tasks.collect.downloads.proxy import VARIABLE, Proxy, proxy_of
from slac_tasks.collect.downloads.reasons import Unfetched
from slac_tasks.collect.downloads.web import Web, open_web, probe
from slac_tasks.collect.settings import Collect, Fetch
from slac_tasks.errors import NotConfigured

DATA = bytes(range(256)) * 64
FAR = "far.example"
QUICK = Fetch(requests_per_sec=1000.0, timeout_sec=5.0)


@pytest.fixture
def proxied() -> Iterator[Proxied]:
    with forward_proxy.running() as found:
        yield found


@pytest.fixture
def server() -> Iterator[Planned]:
    with planned_server.running() as planned:
        yield planned


def through(proxied: Proxied, user: str = "", **collect: Any) -> Web:
    environ = {VARIABLE: f"http://{user}127.0.0.1:{proxied.port}"}
    return open_web(Collect(**collect), QUICK, environ)


@pytest.fixture(autouse=True)
def nobody_knows_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def found(host: str, *rest: Any, **more: Any) -> Any:
        if host.endswith(".example"):
            raise socket.gaierror(socket.EAI_NONAME, "unknown here")
        return real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", found)


def port_of(planned: Planned) -> int:
    return int(planned.url.rpartition(":")[2])


def test_a_file_that_this_machine_cannot_reach_comes_by_the_proxy(
    proxied: Proxied, server: Planned, tmp_path: Path
) -> None:
    proxied.names[FAR] = port_of(server)
    server.paths |= {
        "/a video.mp4": status(404),
        "/a%20video.mp4": serve(DATA),
        "/moved": status(302, Location="/a video.mp4"),
    }
    files.download(through(proxied), f"http://{FAR}:8080/moved?of=1", tmp_path / "file", name="n", max_bytes=1 << 20)
    assert (tmp_path / "file").read_bytes() == DATA
    assert proxied.asked == [
        f"GET http://{FAR}:8080/moved?of=1 HTTP/1.1", f"GET http://{FAR}:8080/a%20video.mp4 HTTP/1.1"
    ]  # fmt: skip
    assert {headers["Host"] for _, _, headers in server.asked} == {f"{FAR}:8080"}


def test_a_host_of_https_is_reached_through_a_tunnel_and_known_by_its_certificate(
    proxied: Proxied, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = sign(tmp_path, [x509.DNSName(FAR)])
    with planned_server.running(signed) as server:
        proxied.names |= {FAR: port_of(server), "other.example": port_of(server)}
        proxied.authorization = f"Basic {b64encode(b'ada:a b').decode()}"
        server.paths["/film.mp4"] = serve(DATA)
        web = through(proxied, "ada:a%20b@")
        with pytest.raises(Unfetched, match="SSLCertVerificationError"):
            probe(web, f"https://{FAR}/film.mp4")
        monkeypatch.setattr(certifi, "where", lambda: str(signed.authority))
        files.download(web, f"https://{FAR}/film.mp4", tmp_path / "file", name="n", max_bytes=1 << 20)
        assert (tmp_path / "file").read_bytes() == DATA
        with pytest.raises(Unfetched, match="SSLCertVerificationError"):
            probe(web, "https://other.example/film.mp4")
    assert proxied.asked == [f"CONNECT {FAR}:443 HTTP/1.1"] * 2 + ["CONNECT other.example:443 HTTP/1.1"]
    assert [name for _, _, headers in server.asked for name in headers if name.lower().startswith("proxy")] == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_whom_the_proxy_does_not_know_has_no_videos_yet(proxied: Proxied, scheme: str) -> None:
    proxied.authorization = "Basic somebody"
    with pytest.raises(Unfetched, match=f"not configured: {VARIABLE}") as no:
        probe(through(proxied, "ada:secret@"), f"{scheme}://{FAR}/")
    assert no.value.retryable
    assert "secret" not in str(no.value)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_what_the_proxy_cannot_reach_may_be_reached_later(proxied: Proxied, scheme: str) -> None:
    with pytest.raises(Unfetched, match="502") as no:
        probe(through(proxied), f"{scheme}://{FAR}/")
    assert no.value.retryable


def test_nobody_is_asked_by_the_proxy_whom_this_machine_knows_to_be_private(proxied: Proxied, server: Planned) -> None:
    proxied.names["127.0.0.1"] = port_of(server)
    server.paths["/film.mp4"] = serve(DATA)
    for scheme in ("http", "https"):
        with pytest.raises(Unfetched, match=r"refused address: 127\.0\.0\.1"):
            probe(through(proxied), f"{scheme}://127.0.0.1/film.mp4")
    assert proxied.asked == []
    probe(through(proxied, allow_private_addresses=True), "http://127.0.0.1/film.mp4")
    assert len(proxied.asked) == 1


def test_the_platforms_own_store_is_asked_without_it(proxied: Proxied, server: Planned) -> None:
    server.paths["/object"] = serve(DATA)
    with through(proxied).ask(f"{server.url}/object", trusted=True) as answer:
        assert answer.status == 200
    assert proxied.asked == []


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000]
)
def test_what_is_no_proxy_is_said(answer: bytes) -> None:
    with raw_server.running() as server:
        server.answers = [answer]
        proxy = Proxy(host="127.0.0.1", port=server.port, headers={})
        with pytest.raises(Unfetched, match=f"^network: proxy 127.0.0.1:{server.port}: ") as no:
            proxy.tunnel(FAR, 443, 5.0)
        assert no.value.retryable
    with pytest.raises(Unfetched, match="refused"):
        proxy.tunnel(FAR, 443, 5.0)


@pytest.mark.parametrize(("status", "reason"), [(500, "network"), (499, "refused"), (300, "refused"), (199, "refused")])
def test_a_fault_of_the_proxy_passes_and_its_refusal_does_not(status: int, reason: str) -> None:
    with raw_server.running() as server:
        server.answers = [b"HTTP/1.1 %d No\r\n\r\n" % status]
        with pytest.raises(Unfetched, match=f"^{reason}: .*: proxy says {status}") as no:
            Proxy(host="127.0.0.1", port=server.port, headers={}).tunnel(FAR, 443, 5.0)
    assert no.value.retryable is (reason == "network")


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 299 OK\r\nX: y\r\n\r\n"])
def test_what_follows_the_proxys_word_is_the_hosts_from_its_first_byte(head: bytes) -> None:
    with raw_server.running() as server:
        server.answers = [head + b"hello"]
        with Proxy(host="127.0.0.1", port=server.port, headers={}).tunnel(FAR, 443, 5.0) as plug:
            assert plug.makefile("rb").read(5) == b"hello"


@pytest.mark.parametrize(
    "text",
    ["http://:3128", "http://ada:secret@proxy:3128?path",
     "proxy:3128", "https://proxy:3128", "http://ada:secret@proxy", "http://proxy:0", "http://proxy:secret", "http://ada:secret@[::1",
     "http://ada:secret@proxy:3128/path", "socks5://ada:secret@proxy:1080"],
)  # fmt: skip
def test_what_is_no_address_of_a_proxy_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(NotConfigured, match=f"{VARIABLE}: want http://host:port") as no:
        proxy_of({VARIABLE: text})
    assert "secret" not in str(no.value)


def test_without_the_variable_there_is_no_proxy() -> None:
    assert proxy_of({}) is None
    assert proxy_of({VARIABLE: " "}) is None
    found = proxy_of({VARIABLE: "http://[2001:db8::1]:3128/"})
    assert found == Proxy(host="2001:db8::1", port=3128, headers={})
