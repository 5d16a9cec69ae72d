"""Labels of an existing dataset become candidates with labels of kind `imported`. Rows in, rows out.

The dataset's classes are mapped to categories. A label whose class is not mapped, whose class gets no key or shares it
with another class, or whose video nobody can find is set aside with its reason, and so is every odd line of the files.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from slac_tasks.admission.exclusions.lists import canonical
from slac_tasks.annotations.reading import Published, agreeing
from slac_tasks.annotations.rows import OddRow, Row, odd
from slac_tasks.collect.names import Categories
from slac_tasks.collect.sources import Candidate
from slac_tasks.errors import WrongArguments
from slac_tasks.given.folders import path_of
from slac_tasks.model import slug
from slac_tasks.progress import track
from slac_tasks.storage.datasets.labelling import ImportedRow
from slac_tasks.storage.manifests import Drop

_YOUTUBE = 11
"""Letters of a YouTube id."""

Locate = Callable[[Row], str | None]
"""Returns where the bytes of a row's video are; None where nobody knows."""


@dataclass(frozen=True, kw_only=True)
class Offered:
    """A video of the dataset, for one category: a line of the manifest that `discover` reads."""

    category: str
    """Display name."""
    source_id: str
    location: str


@dataclass(frozen=True, kw_only=True)
class ImportedLabels:
    """What an existing dataset brings."""

    videos: tuple[Offered, ...]
    rows: tuple[ImportedRow, ...]
    drops: tuple[Drop, ...]
    """Lines and labels that were set aside."""
    remarks: tuple[OddRow, ...]
    """Lines that were taken although something of them is odd."""


def category_names(labels: Sequence[str], given: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the display name of each class's category, and why the other classes have none.

    Args:
        labels: the dataset's classes.
        given: what a person maps, by class; without a map each class is a category of its own name.

    Raises:
        WrongArguments: a category of the map gets no key, or two of them would share one.

    """
    for name in given.values():
        slug(name)
    mapped = Categories.of(given.values())
    if mapped.clashes:
        raise WrongArguments(f"category map: {mapped.clash(min(mapped.clashes))}")
    if given:
        return dict(given), {label: "not mapped" for label in labels if label not in given}
    found = Categories.of(labels)
    clashing = {label for those in found.clashes.values() for label in those}
    why = {**dict.fromkeys(found.keyless, "no key"), **dict.fromkeys(clashing, "key of two classes")}
    return {label: label for label in labels if label not in why}, why


def imported_labels(
    found: Published, source: str, given: Mapping[str, str], locate: Locate, *, dense: bool = False
) -> ImportedLabels:
    """Return candidates and labels of published lists.

    Args:
        found: the lists.
        source: of the candidates: the path of the manifest that will offer them.
        given: display name of the category of each class; empty: each class is a category.
        locate: where videos are.
        dense: whether the times of a label are those at which the action begins and ends.

    """
    odds: list[OddRow] = [one for one in found.odd if not one.taken]
    names, why = category_names(list(dict.fromkeys(row.label or "" for row in found.labels)), given)
    labels = []
    for row in found.labels:
        if row.label in why:
            odds.append(odd(row.place, why[row.label], f"class {row.label!r} is no category"))
        else:
            labels.append(row)
    classes = {row.place: row.label or "" for row in labels}
    # Two classes that become one category may say the same, or the opposite, of one stretch.
    mapped = agreeing([replace(row, label=names[row.label or ""]) for row in labels], odds)
    videos: dict[tuple[str, str], Offered] = {}
    rows: list[ImportedRow] = []
    key_of = cache(slug)
    said: dict[tuple[str, str, float | None, float | None], ImportedRow] = {}
    for row in track(mapped, len(mapped), "import: labels"):
        location, category = locate(row), row.label or ""
        if location is None:
            odds.append(odd(row.place, "no media", f"nobody says where video {row.video} is; --media does"))
            continue
        try:
            candidate = Candidate(source=source, source_id=canonical(row.video), location=location)
        except ValueError as error:
            odds.append(odd(row.place, "video", str(error)))
            continue
        made = replace(
            _row(row, candidate, key_of(category), classes[row.place]), dense=dense and row.end_sec is not None
        )
        # One video may go by two names, such as an id and a file that is named after it.
        before = said.setdefault((made.candidate_id, made.category, made.start_sec, made.end_sec), made)
        if before is not made:
            why_not = "duplicate" if before.label == made.label else "contradiction"
            odds.append(odd(row.place, why_not, f"is of the same stretch as {before.place}"))
            continue
        offered = Offered(category=category, source_id=candidate.source_id, location=location)
        videos.setdefault((made.category, candidate.source_id), offered)
        rows.append(made)
    return ImportedLabels(
        videos=tuple(videos.values()), rows=tuple(rows), drops=tuple(_drops(odds)),
        remarks=tuple(one for one in found.odd if one.taken),
    )  # fmt: skip


def _row(row: Row, candidate: Candidate, category: str, name: str) -> ImportedRow:
    end = row.end_sec
    if end is not None and row.duration_sec is not None:
        end = min(end, row.duration_sec)
    return ImportedRow(
        candidate_id=candidate.candidate_id, source=candidate.source, source_id=candidate.source_id, category=category,
        label=1 if row.positive else -1, start_sec=row.start_sec, end_sec=end,
        split=str(row.split) if row.split else None, name=name, place=row.place,
    )  # fmt: skip


def _drops(odds: Sequence[OddRow]) -> Iterator[Drop]:
    for one in odds:
        yield Drop(item=one.place, reason=one.reason, detail=one.detail)


def locator(media: str, folder: str | None = None) -> Locate:
    """Return where videos are.

    Args:
        media: a path or address in which `{id}` stands for a video's name without ending, and `{name}` for the list's
            own name of it; empty: the list says it, or the video is one of YouTube.
        folder: of the classes, where the list is a folder of videos.

    Raises:
        WrongArguments: `media` names no video.

    """
    if media and not any(word in media for word in ("{id}", "{name}")):
        raise WrongArguments(f"--media {media}: want {{id}} or {{name}} in it, where the name of a video stands")

    place = str(path_of(media)) if media.startswith("~") else media

    def locate(row: Row) -> str | None:
        name = canonical(row.video)
        if media:
            return place.replace("{id}", name).replace("{name}", row.video)
        if folder is not None:
            return f"{folder}/{row.video}"
        if row.url:
            return row.url
        return f"https://www.youtube.com/watch?v={name}" if len(name) == _YOUTUBE else None

    return locate
