"""Pages of video sites, through yt-dlp as a library. All that it asks goes through `Web`, its checks and budgets."""

import io
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import yt_dlp
from yt_dlp.networking import Request, RequestHandler, Response
from yt_dlp.networking.exceptions import HTTPError, TransportError
from yt_dlp.utils import GeoRestrictedError, YoutubeDLError, unsmuggle_url

from slac_tasks.collect.downloads.answers import Answer
from slac_tasks.collect.downloads.reasons import Unfetched, of_status
from slac_tasks.collect.downloads.web import Web
from slac_tasks.progress import counted

_MOST_PAGE_BYTES = 32 << 20
_FORMAT = "bv*[protocol^=http][protocol!*=dash]/b[protocol^=http][protocol!*=dash]"
_MESSAGES = (
    ("rate-limited", r"rate.?limit|too many requests|try again later|not a bot"),
    ("private", r"private|sign in|log ?in|members.only|age.restrict|password"),
    ("region", r"in your (country|location|region)|geo.?restrict"),
    ("gone", r"unavailable|removed|deleted|terminated|does not exist|not found|no longer"),
    ("no direct media", r"requested format is not available|drm"),
    ("not a video", r"unsupported url|no video|live event"),
)

Info = dict[str, Any]


class _Body(io.RawIOBase):
    """An answer as a file of limited length."""

    def __init__(self, answer: Answer, stack: ExitStack) -> None:
        self._answer, self._stack, self._left = answer, stack, _MOST_PAGE_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._answer.read(min(len(buffer), self._left)) if self._left else b""
        except Unfetched as no:
            raise TransportError(str(no), cause=no) from no
        self._left -= len(data)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stack.close()
        super().close()


class CheckedRH(RequestHandler):  # type: ignore[misc]  # yt-dlp has no types
    """Hands the library's requests to `Web`; the suffix of its name is the library's rule."""

    _SUPPORTED_URL_SCHEMES = ("http", "https")

    def __init__(self, *, web: Web, failures: list[Unfetched], **given: Any) -> None:
        super().__init__(**given)
        self._web, self._failures = web, failures

    def _check_extensions(self, extensions: Info) -> None:
        extensions.clear()

    def _send(self, request: Request) -> Response:
        headers = self._get_headers(request)
        if cookies := self._get_cookiejar(request).get_cookie_header(request.url):
            headers["Cookie"] = cookies
        stack = ExitStack()
        try:
            answer = stack.enter_context(
                self._web.ask(request.url, headers=headers, method=request.method, body=request.data)
            )
        except Unfetched as no:
            stack.close()
            self._failures.append(no)
            raise TransportError(str(no), cause=no) from no
        body = io.BufferedReader(_Body(answer, stack))
        found = Response(body, url=answer.url, headers=dict(answer.headers), status=answer.status)
        if answer.status >= 400:
            self._failures.append(of_status(answer.status))
            raise HTTPError(found)
        return found


class _Silent:
    """Where the library's lines go: a failure is an exception, the rest is nobody's business."""

    def debug(self, message: str) -> None:
        """Drop it."""

    warning = error = debug


class _Library(yt_dlp.YoutubeDL):  # type: ignore[misc]  # yt-dlp has no types
    def __init__(self, web: Web, **params: Any) -> None:
        self.failures: list[Unfetched] = []
        self._web = web
        fixed = {"quiet": True, "cachedir": False, "logger": _Silent(), "color": "never", "socket_timeout": 30}
        super().__init__({**fixed, **params})

    def build_request_director(self, handlers: Any, preferences: Any = None) -> Any:
        """Offer our handler alone: no other one can reach the network."""
        return super().build_request_director([partial(CheckedRH, web=self._web, failures=self.failures)])


@contextmanager
def _library(web: Web, **params: Any) -> Iterator[_Library]:
    with _Library(web, **params) as library:
        try:
            yield library
        except GeoRestrictedError as error:
            raise Unfetched("region", str(error)[:200]) from error
        except YoutubeDLError as error:
            raise _meaning(str(error), library.failures) from error
        except Exception as error:
            # Some readers of pages take a page on trust: what one of them trips over is the page's own failure.
            raise Unfetched("bad answer", f"page: {type(error).__name__}: {error}"[:200], retryable=True) from error


def _meaning(message: str, failures: list[Unfetched]) -> Unfetched:
    """Return what a failure of the library means: what the network said last, else what its message says.

    Where the site asks to come back later it is that. The library goes on after much that fails, such as a picture of
    the video that is not found, and what failed last need not be why it gave up.
    """
    said = next((reason for reason, words in _MESSAGES if re.search(words, message, re.IGNORECASE)), "refused")
    later = said == "rate-limited"
    if failures and (failures[-1].retryable or not later):
        return failures[-1]
    return Unfetched(said, message[:200], retryable=later)


def _named(entries: Iterable[Info | None] | None) -> list[Info]:
    """Return what a list names: the library keeps a gap where a site lists what is not there."""
    return [entry for entry in entries or () if entry]


def search(web: Web, address: str, most: int) -> Iterator[Info]:
    """Yield what a search, list or feed names, with its dates; what fails alone has `failure` set to why.

    Raises:
        Unfetched: the search itself failed.

    """
    with _library(web, extract_flat="in_playlist", playlistend=most) as library:
        found: Info = library.extract_info(address, download=False) or {"entries": ()}
    # A list may name nothing; what is no list is one video.
    for entry in _named(found.get("entries", [found])):
        page, _ = unsmuggle_url(entry.get("webpage_url") or entry["url"])
        entry = {**entry, "id": entry.get("id") or page, "page": page}
        # Lists of some sites name no dates and no licences; the page of the video does.
        if entry.get("timestamp") is None and not entry.get("upload_date"):
            try:
                entry |= {key: value for key, value in about(web, page).items() if value is not None and key != "id"}
            except Unfetched as no:
                entry["failure"] = no
        yield entry


def about(web: Web, page: str) -> Info:
    """Return what the site says of one video, with the address of its bytes as `url` and the headers to ask with.

    Raises:
        Unfetched: the site does not hand it out; the reason says why.

    """
    with _library(web, format=_FORMAT, format_sort=["res:480"], noplaylist=True) as library:
        info: Info = library.extract_info(page, download=False)
    if info.get("entries") is not None:
        entries = _named(info["entries"])
        if len(entries) != 1:
            raise Unfetched("not a video", f"names {counted(len(entries), 'video')}")
        (info,) = entries
    if info.get("is_live"):
        raise Unfetched("not a video", "is a live stream")
    if urlsplit(str(info.get("url"))).scheme not in ("http", "https"):
        raise Unfetched("no direct media", "has no format that is one file")
    return info
