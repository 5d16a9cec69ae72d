"""The map of a category's clips: those near each other look alike, and those within an outline are shown as tiles.

An address names the drawing and the outline, so it is a link to the same clips as long as that drawing is kept. The
parts of the map are links too: without eyes, a mouse or a script the same clips are found in a table.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import HTMLResponse

from slac_tasks.errors import NotMade
from slac_tasks.storage.ledger import Ledger
from slac_tasks.web.clip_list import TILES
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.media import Media
from slac_tasks.web.pages import Bar
from slac_tasks.web.text import CategoryKey

if TYPE_CHECKING:
    from slac_tasks.reports.clip_map import ClipMap

SYMBOLS: Mapping[str, str] = {
    "yes": "h0",
    "no": "m-7-7l14 14m0-14l-14 14",
    "unsettled": "m0-9l9 9l-9 9l-9-9z",
    "broken": "m0-8l8 14h-16z",
    "open": "m-8 0h16m-8-8v16",
    "unanswered": "h0",
}
"""How a clip is drawn by its verdict: an SVG path that begins at its place. A line without length is a dot."""

SIDE = 1000
"""Length of a side of the map, as its template and its script have it."""
CORNERS_MOST = 40
"""Corners of an outline; the script sends fewer."""
_OUTLINE = re.compile(r"\d{1,4}\.\d{1,4}(-\d{1,4}\.\d{1,4}){2,}", re.ASCII)
_PARTS = 4
"""Parts of a side in the table."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A clip of the map, as the page shows it."""

    clip_id: str
    verdict: str
    x: int
    y: int


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of the map: a square, which has a letter and a number as on a map of a town."""

    name: str
    outline: str
    clips: int
    verdicts: Mapping[str, int]


def routes(oversee: Callable[..., Any], ledgers: Ledgers, media: Media, bar: Bar) -> APIRouter:
    """Return the one route; it answers to leads.

    Args:
        oversee: dependency that returns which lead is logged in.
        ledgers: connections to the ledger, which says what stands of each clip now.
        media: how objects reach browsers, and the store in which the map lies.
        bar: what stands on top of every page.

    """
    router = APIRouter()

    @router.get("/map", response_class=HTMLResponse)
    def show(
        request: Request,
        person: Annotated[str, Depends(oversee)],
        category: Annotated[CategoryKey, Query()] = "",
        drawing: Annotated[int | None, Query(ge=1, le=9999)] = None,
        within: Annotated[str, Query(max_length=10 * CORNERS_MOST)] = "",
        start: Annotated[int, Query(ge=0, le=10_000)] = 0,
    ) -> HTMLResponse:
        with ledgers.borrow() as ledger:
            categories = ledger.rows("web_clip_categories", person=None)
            known = [row["category"] for row in categories]
            category = category or next(iter(known), "")
            found = _read(media, category, drawing) if category in known else None
            shown = _shown(ledger, category, found) if found else []
            chosen = _within(shown, within) if within else []
            page = [one.clip_id for one in chosen[start : start + TILES]]
            tiles = ledger.rows("web_tiles", clip_ids=page, category=category)
        here = {"category": category, "drawing": found.generation if found else "", "within": within}
        return bar.render(
            "map.html", request, page="clips", person=person, categories=categories, category=category, drawn=found,
            clips=len(shown), counts=_counts(shown), paths=_paths(shown), symbols=SYMBOLS, parts=list(_parts(shown)),
            within=within, chosen=len(chosen), chosen_counts=_counts(chosen), tiles=tiles, start=start,
            following=start + TILES if start + TILES < len(chosen) else None,
            at=lambda **changes: "map?" + urlencode({k: v for k, v in {**here, **changes}.items() if v}),
            corners=within.replace(".", ",").replace("-", " "), address=partial(media.address, person=person),
        )  # fmt: skip

    return router


def _read(media: Media, category: str, drawing: int | None) -> "ClipMap | None":
    # pyarrow is heavy: the pages start without it.
    from slac_tasks.reports.clip_map import read_map

    try:
        return read_map(media.store, category, SIDE, drawing)
    except NotMade:
        raise HTTPException(
            404, f"Drawing {drawing} of this map is kept no more: it was drawn again. Open the map without it."
        ) from None


def _shown(ledger: Ledger, category: str, found: "ClipMap") -> list[Shown]:
    """Return the clips of the map that may still be shown, with what stands of them now."""
    rows = ledger.rows("web_map", clip_ids=list(found.clip_ids), category=category)
    verdicts = {row["clip_id"]: row["verdict"] for row in rows}
    return [
        Shown(clip_id=clip, verdict=verdicts[clip], x=x, y=y)
        for clip, (x, y) in zip(found.clip_ids, found.places, strict=True)
        if clip in verdicts
    ]


def _within(shown: Sequence[Shown], outline: str) -> list[Shown]:
    """Return the clips within an outline, those nearest to their middle first.

    Raises:
        HTTPException: the outline is none.

    """
    from slac_tasks.reports.clip_map import within

    if not _OUTLINE.fullmatch(outline):
        raise HTTPException(400, "The outline is none: want at least three corners, such as 10.10-90.10-90.90.")
    corners = [(int(x), int(y)) for x, y in (corner.split(".") for corner in outline.split("-"))]
    return [shown[place] for place in within([(one.x, one.y) for one in shown], corners)]


def _counts(shown: Iterable[Shown]) -> dict[str, int]:
    """Return how many clips have each verdict, in the order of `SYMBOLS`, without those that no clip has."""
    counts = Counter(one.verdict for one in shown)
    return {verdict: counts[verdict] for verdict in SYMBOLS if counts[verdict]}


def _paths(shown: Iterable[Shown]) -> dict[str, str]:
    """Return one SVG path for each verdict."""
    paths: dict[str, str] = {}
    for one in shown:
        paths[one.verdict] = paths.get(one.verdict, "") + f"M{one.x} {one.y}{SYMBOLS[one.verdict]}"
    return paths


def _parts(shown: Sequence[Shown]) -> Iterator[Part]:
    """Yield the squares that hold clips, row by row."""
    side = SIDE // _PARTS
    held: dict[tuple[int, int], list[Shown]] = {}
    for one in shown:
        held.setdefault((one.y // side, one.x // side), []).append(one)
    for (row, column), clips in sorted(held.items()):
        left, top = column * side, row * side
        right, bottom = left + side, top + side
        yield Part(
            name=f"{chr(ord('A') + column)}{row + 1}",
            outline=f"{left}.{top}-{right}.{top}-{right}.{bottom}-{left}.{bottom}",
            clips=len(clips),
            verdicts=_counts(clips),
        )
