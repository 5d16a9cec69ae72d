"""What an export is given: the rows of a release, what people call its categories, and where its media are."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from slac_tasks.errors import NotConfigured
from slac_tasks.model import Split
from slac_tasks.storage.datasets.releasing import ReleasedSegmentRow, ReleaseRow

SHORT_SPLITS: Mapping[str, str] = {Split.TRAINING: "train", Split.VALIDATION: "val", Split.TESTING: "test"}
"""What Kinetics and COCO call the parts."""


def _no_media(row: ReleaseRow) -> bytes:
    raise NotConfigured(f"media {row.proxy_256}: this export was given no store, want one")


@dataclass(frozen=True, kw_only=True)
class Contents:
    """One release."""

    release: str
    """Its key, e.g. `r0001`."""
    number: str
    """MAJOR.MINOR.PATCH, as `release_versions` has it."""
    rows: Callable[[], Iterator[ReleaseRow]]
    """Yields the rows in their fixed order, from the start at every call."""
    segments: Callable[[], Iterator[ReleasedSegmentRow]] = field(default=lambda: iter(()), repr=False)
    """Yields the dense labels in the order of category, video and start; none: the release holds none."""
    names: Mapping[str, str]
    """Display name of each category."""
    media: Callable[[ReleaseRow], bytes | None] = field(default=_no_media, repr=False)
    """Returns the bytes of the 256 rendition of a row's video; None: the video was withdrawn since. What was released
    stays, and its media may be no more."""
    is_withdrawn: Callable[[ReleaseRow], bool] = field(default=lambda row: False, repr=False)
    """Whether a row's video was withdrawn when this was read."""
    media_address: str = ""
    """Folder or address below which the renditions are found by their object names."""
    licences: tuple[str, ...] = ()
    """Licences under which media may be handed on; none: no media are."""
