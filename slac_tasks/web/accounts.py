"""Accounts of the service when it runs alone: rows of the ledger with a salted hash, a signed cookie as session."""

import asyncio
import hashlib
import hmac
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from pydantic import AfterValidator

from slac_tasks.errors import NotConfigured, Temporary
from slac_tasks.reports import html
from slac_tasks.web import passwords
from slac_tasks.web.door import REFUSAL_SEC
from slac_tasks.web.forms import own_form, read_form
from slac_tasks.web.listing import ADDRESS_MOST, HOME, PAGES, PARTS, Page, destination, open_to
from slac_tasks.web.pages import render
from slac_tasks.web.sessions import Malformed, OpenSessions, OwnSessions, Session
from slac_tasks.web.text import NAME_MOST, is_plain, plain
from slac_tasks.web.tries import Tries

COOKIE = "slac_session"
"""Name of the session's cookie."""

REMEMBER_SEC = 30.0
"""How long an account is taken to be as it was: somebody whose account is closed is out after this long at most."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """One person who may log in."""

    name: str
    password: str
    """Sealed, see `passwords`."""
    role: str
    """`reviewer`, or `lead`, who also sees funnel, quality and duplicates."""


def secret_of(environ: Mapping[str, str]) -> bytes:
    """Return the key of the sessions, SLAC_WEB_SECRET.

    Raises:
        NotConfigured: it is missing or too short.

    """
    secret = environ.get("SLAC_WEB_SECRET", "")
    if len(secret) < 32:
        raise NotConfigured(
            f"SLAC_WEB_SECRET: has {len(secret)} characters, want 32 or more of chance, e.g. `openssl rand -hex 32`"
        )
    # Its bytes are no UTF-8 where somebody took them from a source of chance as they came.
    return os.fsencode(secret)


def secure_of(environ: Mapping[str, str]) -> bool | None:
    """Return SLAC_WEB_SECURE: whether sessions travel over https alone; None: each request says, see `is_secure`.

    Raises:
        NotConfigured: it is neither 0 nor 1.

    """
    value = environ.get("SLAC_WEB_SECURE", "")
    if value not in ("", "0", "1"):
        raise NotConfigured(
            f"SLAC_WEB_SECURE: is {value!r}, want 1 (sessions over https alone) or 0 (over plain http too)"
        )
    return value == "1" if value else None


def is_secure(request: Request) -> bool:
    """Return whether a session of this request must travel over https alone.

    A proxy that ends TLS in front of this service speaks plain http to it, so the scheme alone says little: only a
    browser that asks for this very machine is known to do without.
    """
    return request.url.scheme == "https" or request.url.hostname not in ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, kw_only=True)
class Accounts:
    """Who may log in, and how their sessions are signed."""

    find: Callable[[str], Account | None]
    """Return the account of this name, if it is open."""
    secret: bytes
    """Key of the sessions; sessions end when it changes."""
    session_sec: int = 12 * 3600
    """A session ends this long after the login: a working day."""
    secure: bool | None = None
    """Whether the cookie is sent over https alone; None: see `is_secure`."""
    sessions: OpenSessions = field(default_factory=OwnSessions)
    tries: Tries = field(default_factory=Tries)
    turn: passwords.Turn = field(default_factory=passwords.Turn)
    now: Callable[[], float] = time.time
    _known: dict[str, tuple[float, Account | None]] = field(default_factory=dict)

    def login(self, name: str, password: str) -> str | None:
        """Return the cookie's value for this person, or None; as slow for an unknown name as for a wrong password."""
        account = self.find(name)
        if not passwords.matches(password, account.password if account else None) or account is None:
            return None
        return self.session(account)

    def session(self, account: Account) -> str:
        """Open a session for a person who has just logged in; return the cookie's value."""
        made = Session(name=account.name, ends=int(self.now()) + self.session_sec, mark=_mark(account))
        self.sessions.begin(made)
        return made.text(self.secret)

    def person(self, cookie: str | None) -> Account | None:
        """Return whose session this is, or None if it is nobody's, was altered, or has ended."""
        try:
            return self._holder(Session.read(cookie, self.secret) if cookie else None)
        except Malformed:
            return None

    def _holder(self, session: Session | None) -> Account | None:
        """Return whose session this is, if it is open.

        A logout, a closed account and a new password end sessions of a person. A session that was seen to be over
        stays so, also when the clock is set back.
        """
        if session is None:
            return None
        if self.now() >= session.ends:
            self.sessions.end(session)
            return None
        account = self._find(session.name)
        if account is None or not hmac.compare_digest(_mark(account), session.mark):
            return None
        return account if self.sessions.is_open(session) else None

    def logout(self, cookie: str | None) -> None:
        """End a session on the server: the cookie is worth nothing from now on, whoever has a copy."""
        with suppress(Malformed):
            if cookie and (session := Session.read(cookie, self.secret)):
                self.sessions.end(session)

    def _find(self, name: str) -> Account | None:
        """Look an account up, at most once in `REMEMBER_SEC`."""
        since, account = self._known.get(name, (-math.inf, None))
        # Not below 0 either: a clock that is set back would have somebody remembered until it is where it was.
        if not 0 <= self.now() - since < REMEMBER_SEC:
            account = self.find(name)
            if account is not None:
                self._known[name] = (self.now(), account)
            else:
                self._known.pop(name, None)
        return account

    def authenticate(self, request: Request) -> str:
        """Return who is logged in: the dependency that protects what reviewers see.

        Raises:
            HTTPException: 401 for nobody; a browser that asks for a page is led to the login instead.

        """
        return self._whoever(request).name

    def oversee(self, request: Request) -> str:
        """Return who is logged in, if that is a lead: the dependency that protects what says names.

        Raises:
            HTTPException: 401 for nobody, 403 for a reviewer.

        """
        account = self._whoever(request)
        if account.role != "lead":
            raise HTTPException(403, "This page is for leads. Ask one of them if you need it.")
        return account.name

    def visible(self, request: Request) -> Sequence[Page]:
        """Return the pages that whoever is logged in may open."""
        return open_to(lead=self._whoever(request).role == "lead")

    def _whoever(self, request: Request) -> Account:
        cookie = request.cookies.get(COOKIE)
        try:
            account = self._holder(Session.read(cookie, self.secret) if cookie else None)
        except Malformed as error:
            # The browser drops it, so that the person can log in.
            gone = Response()
            gone.delete_cookie(COOKIE)
            headers = {"Set-Cookie": gone.headers["set-cookie"]}
            raise HTTPException(400, f"The cookie {COOKIE} is none of this service's.", headers) from error
        if account is not None:
            return account
        page = request.scope["path"].rpartition("/")[2]
        if request.method == "GET" and page in ("", *PAGES, *PARTS):
            asked = f"{page}?{request.url.query}" if request.url.query else page
            raise HTTPException(303, headers={"Location": f"login?next={quote(destination(asked))}"})
        raise HTTPException(401, "not logged in")


def _mark(account: Account) -> str:
    """Return what a session keeps of the sealed password."""
    return hashlib.sha256(account.password.encode()).hexdigest()[:16]


def routes(accounts: Accounts) -> APIRouter:
    """Return the login and the logout: the only routes, with /health, that answer somebody unknown."""
    router = APIRouter()

    @router.get("/login", response_class=HTMLResponse)
    def login_page(next: Annotated[str, Query(max_length=ADDRESS_MOST), AfterValidator(plain)] = HOME) -> HTMLResponse:
        return _page(next, "")

    @router.get("/login.css")
    def login_style() -> FileResponse:
        return FileResponse(html.STATIC / "slac.css", headers={"Cache-Control": "no-cache"})

    @router.post("/login")
    async def login(request: Request, form: Annotated[Mapping[str, str], Depends(read_form)]) -> Response:
        name, page = form.get("name", ""), form.get("next", "")
        if len(name) > NAME_MOST or not is_plain(name):
            raise HTTPException(400, "This is no name of a person.")
        address = request.client.host if request.client else ""
        if wait := accounts.tries.begin(name, address):
            await asyncio.sleep(REFUSAL_SEC)
            problem = f"Too many tries. The next one is possible in {math.ceil(wait)} seconds."
            return _page(page, problem, name=name, status=429, retry_sec=wait)
        try:
            session = await accounts.turn.check(lambda: accounts.login(name, form.get("password", "")))
        except Temporary:
            accounts.tries.cancel(name, address)
            await asyncio.sleep(REFUSAL_SEC)
            return _page(page, "The service is busy. Please try again in a moment.", name=name, status=503, retry_sec=2)
        if session is None:
            accounts.tries.fail(address)
            return _page(page, "That name and password do not belong together.", name=name, status=401)
        accounts.tries.succeed(name, address)
        answer = RedirectResponse(destination(page), status_code=303)
        answer.set_cookie(
            COOKIE,
            session,
            max_age=accounts.session_sec,
            httponly=True,
            samesite="lax",
            secure=is_secure(request) if accounts.secure is None else accounts.secure,
        )
        return answer

    @router.post("/logout", dependencies=[Depends(own_form)])
    def logout(request: Request) -> Response:
        accounts.logout(request.cookies.get(COOKIE))
        answer = RedirectResponse("login", status_code=303)
        answer.delete_cookie(COOKIE)
        return answer

    return router


def _page(page: str, problem: str, *, name: str = "", status: int = 200, retry_sec: float = 0.0) -> HTMLResponse:
    answer = render("login.html", status, next=destination(page), problem=problem, name=name)
    if retry_sec:
        answer.headers["Retry-After"] = str(math.ceil(retry_sec))
    return answer
