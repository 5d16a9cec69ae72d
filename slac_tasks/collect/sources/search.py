"""Searches on video sites through yt-dlp: one for the category's name and one for each of its synonyms."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote_plus

from slac_tasks.collect.downloads.reasons import Unfetched
from slac_tasks.collect.downloads.sites import Info, search
from slac_tasks.collect.downloads.web import open_web
from slac_tasks.collect.locations import PAGE
from slac_tasks.collect.names import terms
from slac_tasks.collect.settings import Collect, Fetch
from slac_tasks.collect.sources.base import Candidate, Offer, Unreadable
from slac_tasks.errors import Temporary, WrongArguments
from slac_tasks.given.words import printable
from slac_tasks.model import Window

MOST = 1000
"""Results taken of one search; of one that finds more it is said (ours)."""


class SearchSource:
    """What a site finds for a category within a window's dates.

    `template` is an address or a search of yt-dlp with {query}, and where the site knows dates {start} and {end}:
    ``ytsearch50:{query} after:{start} before:{end}``, ``https://videos.example/feed?q={query}``.
    """

    def __init__(self, template: str, collect: Collect, limits: Fetch, environ: Mapping[str, str]) -> None:
        self.template, self.synonyms = template, collect.synonyms
        self._web = open_web(collect, limits, environ)
        if "{query}" not in template:
            raise WrongArguments(f"source yt-dlp:{template}: want {{query}} where the words go")
        for line in self.synonyms:
            terms("", (line,))

    def categories(self) -> list[str]:
        """Return none: it can search for any."""
        return []

    def unplaced(self) -> Sequence[Unreadable]:
        """Return nothing: each result is one of the category that was searched for."""
        return ()

    def candidates(self, category: str, window: Window) -> Iterator[Offer]:
        """Yield the results of every term, each video once; a result that cannot be opened is set aside.

        Raises:
            Temporary: the site asks to wait, or does not answer.
            WrongArguments: the site refuses the search.

        """
        seen: set[str] = set()
        for term in terms(category, self.synonyms):
            # Only what becomes part of an address is written as one.
            words = quote_plus(term) if "://" in self.template else term
            dates = {"start": str(window), "end": f"{window.end:%Y-%m-%d}"}
            address = self.template
            for name, value in {"query": words, **dates}.items():
                address = address.replace("{" + name + "}", value)
            try:
                for number, entry in enumerate(search(self._web, address, MOST + 1)):
                    offer = _offer(entry) if number < MOST else _beyond(address)
                    key = offer.item if isinstance(offer, Unreadable) else offer.candidate_id
                    if key not in seen:
                        seen.add(key)
                        yield offer
            except Unfetched as no:
                kind = Temporary if no.retryable else WrongArguments
                raise kind(f"source yt-dlp:{self.template}: {no}") from no


def _offer(entry: Info) -> Offer:
    page = str(entry["page"])
    failure = entry.get("failure")
    if isinstance(failure, Unfetched):
        return Unreadable(item=page, reason=failure.reason, detail=failure.detail, retryable=failure.retryable)
    try:
        return Candidate(
            source=f"yt-dlp:{str(entry.get('ie_key') or entry.get('extractor_key') or 'Generic').lower()}",
            source_id=str(entry["id"]),
            location=PAGE + page,
            title=_text(entry, "title"),
            licence=_text(entry, "license"),
            published_at=_published(entry),
        )
    except (ValueError, TypeError, OverflowError, OSError) as error:
        return Unreadable(item=printable(page), reason="bad entry", detail=str(error))


def _beyond(address: str) -> Unreadable:
    """Say that a search finds more than is taken, instead of what it finds beyond."""
    detail = f"more than {MOST:,}, the first of which are taken; want {{start}} and {{end}}, or words that find fewer"
    return Unreadable(item=printable(address), reason="too many results", detail=detail)


def _text(entry: Info, name: str) -> str | None:
    value = entry.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name} is {str(value)[:60]!r}, want text")
    return value


def _published(entry: Info) -> datetime | None:
    if entry.get("timestamp") is not None:
        return datetime.fromtimestamp(float(entry["timestamp"]), UTC)
    if entry.get("upload_date"):
        return datetime.strptime(str(entry["upload_date"]), "%Y%m%d").replace(tzinfo=UTC)
    return None
