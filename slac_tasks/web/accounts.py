"""Accounts of the service when it runs alone: names and passwords from the environment, a signed cookie as session."""

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qs, quote, urlsplit

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from slac_tasks.errors import NotConfigured
from slac_tasks.web.pages import STATIC, render

COOKIE = "slac_session"
"""Name of the session's cookie."""

PAGES = ("review", "funnel", "quality")
"""Where a login may lead; nothing else is followed."""

_BODY_MOST = 4096


@dataclass(frozen=True, kw_only=True)
class Accounts:
    """Who may log in, and how their sessions are signed."""

    passwords: Mapping[str, bytes]
    """Name -> keyed hash of the password; the passwords themselves are not kept."""
    secret: bytes
    """Key of the sessions; sessions end when it changes."""
    session_sec: int = 12 * 3600
    """A session ends this long after the login: a working day."""
    now: Callable[[], float] = time.time

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Accounts":
        """Read SLAC_WEB_USERS and SLAC_WEB_SECRET.

        Raises:
            NotConfigured: one of them is missing, too short, or has another form.

        """
        secret = environ.get("SLAC_WEB_SECRET", "")
        if len(secret) < 32:
            raise NotConfigured(
                f"SLAC_WEB_SECRET: has {len(secret)} characters, want 32 or more of chance, e.g. `openssl rand -hex 32`"
            )
        passwords: dict[str, bytes] = {}
        for entry in filter(None, environ.get("SLAC_WEB_USERS", "").split(",")):
            name, _, password = entry.strip().partition(":")
            if not name or len(password) < 8:
                raise NotConfigured(f"SLAC_WEB_USERS: entry of {name!r}, want name:password with 8 characters or more")
            passwords[name] = _hash(secret.encode(), password)
        if not passwords:
            raise NotConfigured("SLAC_WEB_USERS: not set, want name:password,name:password")
        return cls(passwords=passwords, secret=secret.encode())

    def knows(self, name: str, password: str) -> bool:
        """Return whether the password is this person's; as slow for an unknown name as for a wrong password."""
        wanted = self.passwords.get(name, b"")
        return hmac.compare_digest(wanted, _hash(self.secret, password)) and bool(wanted)

    def session(self, name: str) -> str:
        """Return the cookie's value for a person who has just logged in."""
        ends = str(int(self.now()) + self.session_sec)
        return f"{name.encode().hex()}.{ends}.{self._sign(name, ends)}"

    def person(self, session: str | None) -> str | None:
        """Return whose session this is, or None if it is nobody's, was altered, or has ended."""
        try:
            encoded, ends, signature = (session or "").split(".")
            name = bytes.fromhex(encoded).decode()
            live = self.now() < int(ends)
        except ValueError:
            return None
        good = hmac.compare_digest(self._sign(name, ends).encode(), signature.encode())
        # A person who was taken out of SLAC_WEB_USERS is out at once, whatever the cookie says.
        return name if good and live and name in self.passwords else None

    def _sign(self, name: str, ends: str) -> str:
        return hmac.new(self.secret, "\x1f".join(("session", name, ends)).encode(), hashlib.sha256).hexdigest()

    def authenticate(self, request: Request) -> str:
        """Return who is logged in: the dependency that protects every page.

        Raises:
            HTTPException: 401 for nobody; a browser that asks for a page is led to the login instead.

        """
        person = self.person(request.cookies.get(COOKIE))
        if person is not None:
            return person
        page = request.url.path.rpartition("/")[2]
        if request.method == "GET" and (page in PAGES or not page):
            raise HTTPException(303, headers={"Location": f"login?next={quote(page)}"})
        raise HTTPException(401, "not logged in")


def _hash(secret: bytes, password: str) -> bytes:
    return hashlib.scrypt(password.encode(), salt=hashlib.sha256(secret).digest(), n=2**12, r=8, p=1)


def routes(accounts: Accounts) -> APIRouter:
    """Return the login and the logout: the only routes, with /health, that answer somebody unknown."""
    router = APIRouter()

    @router.get("/login", response_class=HTMLResponse)
    def login_page(next: Annotated[str, Query(max_length=20)] = "review") -> HTMLResponse:
        return _page(next, "")

    @router.get("/login.css")
    def login_style() -> FileResponse:
        return FileResponse(STATIC / "slac.css", headers={"Cache-Control": "no-cache"})

    @router.post("/login")
    async def login(request: Request) -> Response:
        # A form on another site must not log somebody in under another name.
        origin = request.headers.get("origin")
        if origin is not None and origin != "null" and urlsplit(origin).netloc != request.headers.get("host"):
            raise HTTPException(403, "this form was sent from another site")
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _BODY_MOST:
                raise HTTPException(413, "too long for a login")
        form = {key: values[0] for key, values in parse_qs(body.decode(errors="replace")).items()}
        name, page = form.get("name", ""), form.get("next", "")
        if not accounts.knows(name, form.get("password", "")):
            return _page(page, "That name and password do not belong together.", name=name, status=401)
        answer = RedirectResponse(page if page in PAGES else "review", status_code=303)
        answer.set_cookie(
            COOKIE,
            accounts.session(name),
            max_age=accounts.session_sec,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return answer

    @router.post("/logout")
    def logout() -> Response:
        answer = RedirectResponse("login", status_code=303)
        answer.delete_cookie(COOKIE)
        return answer

    return router


def _page(page: str, problem: str, *, name: str = "", status: int = 200) -> HTMLResponse:
    return render("login.html", status, next=page if page in PAGES else "review", problem=problem, name=name)
