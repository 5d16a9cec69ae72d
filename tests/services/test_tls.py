"""`slac web` behind Caddy with the project's Caddyfile: https alone, and sessions that stay there."""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPMessage
from pathlib import Path

import pytest
from conftest import absent

from slac_tasks.storage.ledger import Ledger
from slac_tasks.web import passwords

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "no-secret-of-anybody"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def caddy() -> str:
    return shutil.which("caddy") or absent("Caddy")


@dataclass
class Site:
    """The pages as browsers reach them."""

    plain: str
    secure: str
    trust: Path
    log: Path

    def get(self, path: str, **headers: str) -> tuple[int, HTTPMessage]:
        return self.ask(urllib.request.Request(self.secure + path, headers=headers))

    def ask(self, request: urllib.request.Request) -> tuple[int, HTTPMessage]:
        """Ask without following a redirect."""

        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_: object) -> None:
                return None

        trusted = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(self.trust)))
        try:
            with urllib.request.build_opener(trusted, Stay).open(request, timeout=10) as answer:
                return answer.status, answer.headers
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, answer.headers


@pytest.fixture
def site(caddy: str, ledger: Ledger, ledger_url: str, tmp_path: Path) -> Iterator[Site]:
    ledger.run("add_account", annotator="mara", password=passwords.seal(PASSWORD), groups=[], role="reviewer")
    web, plain, secure = (free_port() for _ in range(3))
    given = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    ours = {
        "SLAC_STORE": str(tmp_path / "store"), "SLAC_DATABASE_URL": ledger_url, "SLAC_WEB_SECRET": "s" * 32,
        "SLAC_WEB_SECURE": "1", "FORWARDED_ALLOW_IPS": "127.0.0.1",
    }  # fmt: skip
    theirs = {
        "SLAC_WEB": f"127.0.0.1:{web}", "SLAC_HOST": "localhost", "HTTP_PORT": str(plain), "HTTPS_PORT": str(secure),
    }  # fmt: skip
    pages = [sys.executable, "-m", "slac_tasks.cli", "web", "--port", str(web), "--workers", "1"]
    proxy = [caddy, "run", "--config", str(ROOT / "docker" / "Caddyfile"), "--adapter", "caddyfile"]
    log = tmp_path / "log"
    with log.open("wb") as out:
        started = [
            subprocess.Popen(words, env={**given, **more}, stdout=out, stderr=out, cwd=ROOT)
            for words, more in ((pages, ours), (proxy, theirs))
        ]
        trust = tmp_path / "caddy" / "pki" / "authorities" / "local" / "root.crt"
        found = Site(f"http://localhost:{plain}", f"https://localhost:{secure}", trust, log)
        try:
            deadline = time.monotonic() + 120
            while not answers(found):
                assert all(one.poll() is None for one in started), log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.3)
            yield found
        finally:
            for one in reversed(started):
                one.terminate()
                one.wait(30)


def answers(site: Site) -> bool:
    try:
        return site.trust.exists() and site.get("/health")[0] == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def log_in(site: Site) -> tuple[int, HTTPMessage]:
    form = urllib.parse.urlencode({"name": "mara", "password": PASSWORD}).encode()
    return site.ask(urllib.request.Request(f"{site.secure}/login", data=form))


def test_pages_come_over_https_alone_and_sessions_stay_there(site: Site) -> None:
    code, headers = site.get("/health")
    assert code == 200
    assert headers["Strict-Transport-Security"].startswith("max-age=")
    code, headers = site.ask(urllib.request.Request(f"{site.plain}/review"))
    assert (code, headers["Location"][:8]) == (308, "https://")
    code, headers = log_in(site)
    assert code == 303
    cookie = headers["Set-Cookie"].lower()
    assert "secure" in cookie
    assert "httponly" in cookie
    assert site.get("/review", Cookie=headers["Set-Cookie"].partition(";")[0])[0] == 200
    assert PASSWORD not in site.log.read_text(errors="replace")


def test_a_larger_body_than_any_form_is_refused_by_the_proxy(site: Site) -> None:
    request = urllib.request.Request(f"{site.secure}/login", data=b"x" * 2_000_000)
    assert site.ask(request)[0] in (413, 502)
