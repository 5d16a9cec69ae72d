"""Where videos are found, behind one small interface. Reads names and pages of results, never media."""

import os
from collections.abc import Mapping, Sequence

from slac_tasks.collect.locations import MANIFESTS
from slac_tasks.collect.names import Categories
from slac_tasks.collect.settings import Collect, Fetch
from slac_tasks.collect.sources.base import Candidate, Offer, Source, Unreadable
from slac_tasks.collect.sources.bucket import BucketSource
from slac_tasks.collect.sources.folder import FolderSource
from slac_tasks.collect.sources.manifest import ManifestSource
from slac_tasks.errors import NotConfigured
from slac_tasks.given.folders import path_of
from slac_tasks.given.words import without_user

__all__ = [
    "Candidate", "FolderSource", "ManifestSource", "Offer", "Source", "Unreadable", "open_sources", "unplaced_lines",
]  # fmt: skip

SEARCH = "yt-dlp:"
"""Stands before a search."""

_MOST_LINES = 10
"""So many of these entries are named."""


def open_sources(
    settings: Collect | Sequence[str], limits: Fetch | None = None, environ: Mapping[str, str] = os.environ
) -> list[Source]:
    """Open the sources that `collect.sources` names; `limits` bound what a search may ask.

    Raises:
        NotConfigured: none is named, or a name is none of the forms.
        BrokenContract: a source is empty or holds a bad line.

    """
    collect = settings if isinstance(settings, Collect) else Collect(sources=tuple(settings))
    if not collect.sources:
        raise NotConfigured("collect.sources: is empty, want folders and manifests of videos")
    return [_open(name, collect, limits or Fetch(), environ) for name in collect.sources]


def unplaced_lines(sources: Sequence[Source], names: Categories) -> list[str]:
    """Return lines for people about entries that no category gets: how many there are, and the first of them."""
    found = [*names.set_aside(), *(str(entry) for source in sources for entry in source.unplaced())]
    more = [f"and {len(found) - _MOST_LINES} more"] if len(found) > _MOST_LINES else []
    count = "1 entry" if len(found) == 1 else f"{len(found)} entries"
    return [f"set aside {count}:", *found[:_MOST_LINES], *more] if found else []


def _open(name: str, collect: Collect, limits: Fetch, environ: Mapping[str, str]) -> Source:
    if not name.strip():
        raise NotConfigured(f"source {name!r}: is blank, want a folder, a manifest, s3://bucket/prefix or a search")
    if name.startswith(SEARCH):
        # The library takes a third of a second to load, and not every project searches.
        from slac_tasks.collect.sources.search import SearchSource

        return SearchSource(name.removeprefix(SEARCH), collect, limits, environ)
    if name.startswith("s3://"):
        return BucketSource(name, environ)
    path = path_of(name)
    # Of a name that is too long, or below a locked folder, `Path` asks with an error.
    if os.path.isdir(path):
        return FolderSource(path)
    if os.path.isfile(path) and path.suffix.lower() in MANIFESTS:
        return ManifestSource(path)
    found = "is none of these"
    try:
        os.stat(path)
    except OSError as error:
        found = error.strerror or str(error)
    raise NotConfigured(
        f"source {without_user(name)}: {found}, want a folder, a {', '.join(MANIFESTS)} file, s3://bucket/prefix or a "
        f"{SEARCH} search"
    )
