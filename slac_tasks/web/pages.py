"""The routes of the pages and of their files. Which pages there are stands in `listing.py`."""

import hashlib
import mimetypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse

from slac_tasks.errors import NotMade
from slac_tasks.reports import html
from slac_tasks.reports.html import environment
from slac_tasks.storage.folder import FolderStore
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.listing import HOME, PAGES, Page
from slac_tasks.web.media import Media

STATIC = Path(__file__).parent / "static"


@cache
def _files() -> dict[str, Path]:
    return {path.name: path for folder in (html.STATIC, STATIC) for path in sorted(folder.iterdir())}


@cache
def _digest() -> str:
    files = _files().values()
    return hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in files)).hexdigest()[:12]


def asset(name: str) -> str:
    """Return the address of a static file. A folder of its name changes with any of them, so browsers may keep them."""
    return f"static/{_digest()}/{name}"


_TEMPLATES = environment(Path(__file__).parent / "templates")
_TEMPLATES.globals.update(asset=asset, clips_at="clips")


def render(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page made from the template."""
    return HTMLResponse(_TEMPLATES.get_template(template).render(values), status_code=status)


@dataclass(frozen=True, kw_only=True)
class Bar:
    """What stands on top of every page."""

    logout: bool
    """This service owns the login."""
    visible: Callable[[Request], Sequence[Page]]
    """The pages that whoever makes a request may open."""

    def render(self, template: str, request: Request, *, page: str, person: str, **values: Any) -> HTMLResponse:
        """Return a page made from the template, with `page` marked as the open one."""
        return render(template, page=page, person=person, logout=self.logout, pages=self.visible(request), **values)


def routes(
    authenticate: Callable[..., Any], oversee: Callable[..., Any], ledgers: Ledgers, media: Media, bar: Bar
) -> APIRouter:
    """Return the pages; each answers only to somebody who is logged in.

    Args:
        authenticate: dependency that returns who is logged in.
        oversee: the same for pages that only leads may open.
        ledgers: connections to the ledger.
        media: how objects reach browsers.
        bar: what stands on top of every page.

    """
    router = APIRouter()
    person_dep = Depends(authenticate)

    @router.get("/")
    def home(person: Annotated[str, person_dep]) -> RedirectResponse:
        return RedirectResponse(HOME, status_code=303)

    def add(page: Page) -> None:
        allowed = Depends(oversee if page.for_leads else authenticate)

        def show(request: Request, person: Annotated[str, allowed]) -> HTMLResponse:
            values: Mapping[str, object] = {}
            if page.values is not None:
                with ledgers.borrow() as ledger:
                    values = page.values(ledger, request.query_params)
            address = partial(media.address, person=person)
            return bar.render(f"{page.name}.html", request, page=page.name, person=person, address=address, **values)

        router.get(f"/{page.name}", response_class=HTMLResponse)(show)

    for page in PAGES.values():
        add(page)

    @router.get("/static/{version}/{name}")
    def static(version: str, name: str, person: Annotated[str, person_dep]) -> FileResponse:
        if name not in _files():
            raise HTTPException(404, "no such file")
        return FileResponse(_files()[name], headers={"Cache-Control": "private, max-age=31536000, immutable"})

    @router.get("/objects/{name:path}")
    def objects(
        name: str, person: Annotated[str, person_dep], ends: int, signature: Annotated[str, Query(max_length=64)]
    ) -> FileResponse:
        """Hand out a file of a local store; `Range` is answered with 206, so that a player can seek."""
        media.check(name, person, ends, signature)
        if not isinstance(media.store, FolderStore):
            raise NotMade("this store hands out its objects itself")
        with media.store.local(name) as path:
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            return FileResponse(path, media_type=kind, headers={"Cache-Control": f"private, max-age={media.seconds}"})

    return router
