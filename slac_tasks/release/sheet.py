"""The data sheet of a release: a README that says what is in it, how it was made, and what it is not good for.

README.md           for people; its five lines of Python run
plots/categories    labels by category and sign, as .svg and as .png
plots/strategies    why clips were asked, by split; likewise
plots/agreement     how far people agree on each category; likewise, and only where that is known

The prose is `templates/README.md`. It follows the questions of *Datasheets for Datasets* (Gebru et al. 2021) as far as
numbers can answer them.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean

from slac_tasks import __version__, progress
from slac_tasks.model import CLIP_SEC, Split, Strategy
from slac_tasks.progress import counted
from slac_tasks.release.markdown import cell, table, template
from slac_tasks.release.plots import Plot, intervals, png, stacked, svg
from slac_tasks.release.tallies import UNKNOWN, Agreement, Tallies
from slac_tasks.storage.datasets import RELEASES
from slac_tasks.storage.datasets.labelling import AgreementRow, CorrectionRow
from slac_tasks.storage.datasets.releasing import ReleasedSegmentRow, ReleaseVersionRow
from slac_tasks.verification.carrying import IMPORTED, KINDS

README = "README.md"
_TEMPLATES = Path(__file__).parent / "templates"
_SPLITS = tuple(split.value for split in Split)
_WHY = (*(strategy.value for strategy in Strategy), UNKNOWN)
_LEAST = 30
"""Fewer labels of a category in testing say little: the interval of a share is then wider than 0.3."""


def sheet(
    release: str,
    row: ReleaseVersionRow,
    counted: Tallies,
    names: Mapping[str, str],
    segments: Sequence[ReleasedSegmentRow] = (),
) -> dict[str, bytes]:
    """Return the files of the data sheet, by name.

    Args:
        release: its key.
        row: what it is.
        counted: what is in it.
        names: display name of each category; one that has none goes by its key.
        segments: its dense labels.

    """
    every = {category: names.get(category, category) for category in row.categories}
    drawn = dict(_plots(counted, every))
    files = {README: _readme(release, row, counted, every, segments, list(drawn)).encode()}
    for name, plot in drawn.items():
        files |= {f"plots/{name}.svg": svg(plot), f"plots/{name}.png": png(plot)}
    return files


def _plots(counted: Tallies, names: Mapping[str, str]) -> Iterator[tuple[str, Plot]]:
    """Yield each plot with its name."""
    signs, mix = counted.by("category", "label"), counted.by("split", "strategy")
    by_name = {name: _signs(signs, key) for key, name in names.items()}
    yield "categories", stacked("Labels by category", ("positive", "negative"), by_name)
    used = [one for one in _WHY if any((split, one) in mix for split in _SPLITS)]
    by_split = {split: [mix.get((split, one), 0) for one in used] for split in _SPLITS}
    yield "strategies", stacked("Why clips were asked", used, by_split)
    alphas = {
        name: (row.krippendorff, row.krippendorff_low, row.krippendorff_high)
        for key, name in names.items()
        if (row := counted.alphas.get(key)) is not None and row.krippendorff is not None
    }
    if alphas:
        yield "agreement", intervals("Krippendorff's alpha, 95 % interval", alphas)


def _readme(
    release: str,
    row: ReleaseVersionRow,
    counted: Tallies,
    names: Mapping[str, str],
    segments: Sequence[ReleasedSegmentRow],
    plots: Sequence[str],
) -> str:
    of_split = counted.by("category", "split")
    few = [name for key, name in names.items() if of_split.get((key, Split.TESTING.value), 0) < _LEAST]
    return template(_TEMPLATES, README).render(
        release=release,
        row=row,
        count=lambda number: f"{number:,}",
        counted=progress.counted,
        seconds=f"{CLIP_SEC:g}",
        splits=_splits(counted),
        licences=_licences(counted),
        categories=_categories(counted, names),
        strategies=_strategies(counted),
        kinds=_kinds(counted),
        corrections=_corrections(counted, names),
        segments=_segments(segments, names),
        columns=table(("column", "meaning"), ((f"`{column.name}`", column.meaning) for column in RELEASES.columns)),
        few=[cell(name) for name in few],
        least=_LEAST,
        unlicensed=counted.videos_by("licence").get(UNKNOWN, 0),
        plots=plots,
        code=__version__,
    )


def _splits(counted: Tallies) -> str:
    videos, signs, mixed = counted.videos_by("split"), counted.by("split", "label"), counted.by("split", "benchmark")
    return table(
        ("split", "videos", "positive", "negative", "in the benchmark"),
        ((one, videos.get(one, 0), *_signs(signs, one), mixed.get((one, "True"), 0)) for one in _SPLITS),
    )


def _licences(counted: Tallies) -> str:
    videos, labels = counted.videos_by("licence"), counted.by("licence")
    commonest = sorted(videos.items(), key=lambda item: (-item[1], item[0]))
    return table(("licence", "videos", "labels"), ((name, count, labels[name,]) for name, count in commonest))


def _categories(counted: Tallies, names: Mapping[str, str]) -> str:
    signs, agreement = counted.by("category", "label"), {one.category: one for one in counted.agreement}
    return table(
        ("category", "positive", "negative", "first two people agree", "Krippendorff's alpha"),
        (
            (name, *_signs(signs, key), _agreement(agreement.get(key)), _alpha(counted.alphas.get(key)))
            for key, name in names.items()
        ),
    )


def _strategies(counted: Tallies) -> str:
    signs = counted.by("strategy", "label")
    used = [one for one in _WHY if any(_signs(signs, one))]
    return table(("why a clip was asked", "positive", "negative"), ((one, *_signs(signs, one)) for one in used))


def _kinds(counted: Tallies) -> str:
    labels = counted.by("kind")
    certified = {kind: counted.certified(kind) for kind in KINDS if (kind,) in labels}
    return table(
        ("kind", "labels", "certified", "wrong at most"),
        (
            (kind, labels[kind,], count, "not certified" if bound is None else f"{bound:.1%}")
            for kind, (count, bound) in certified.items()
        ),
    )


def _corrections(counted: Tallies, names: Mapping[str, str]) -> str:
    """Return what became of imported labels; empty where the release holds none of them and nobody imported any."""
    if not counted.corrections:
        return ""
    released = counted.by("category", "kind")
    rows = (
        (names.get(row.category, row.category), row.labels, row.asked, row.wrong, row.doubted, row.rest, _error(row),
         released.get((row.category, IMPORTED), 0))
        for row in counted.corrections
    )  # fmt: skip
    heads = ("labels", "asked", "wrong", "set aside", "rest", "wrong in the rest", "released as imported")
    return table(("category", *heads), rows)


def _segments(segments: Sequence[ReleasedSegmentRow], names: Mapping[str, str]) -> str:
    """Return the dense labels of each category; empty where the release holds none."""
    if not segments:
        return ""
    found = []
    for key, name in names.items():
        own = [one for one in segments if one.category == key]
        present, overlaps = [one for one in own if one.label == 1], [one.tiou for one in own if one.tiou is not None]
        long = sum(one.end_sec - one.start_sec for one in present)
        agree = f"{fmean(overlaps):.2f}" if overlaps else "not asked twice"
        if own:
            found.append((name, len(present), f"{long:.1f}", len(own) - len(present), agree))
    return table(("category", "segments", "seconds of them", "without the action", "mean tIoU of two people"), found)


def _error(row: CorrectionRow) -> str:
    if row.error is None:
        return "no clip was drawn"
    return f"{row.error:.1%} ({row.error_low:.1%} to {row.error_high:.1%}), {counted(row.control, 'clip')}"


def _signs(counts: Mapping[tuple[str, ...], int], key: str) -> list[int]:
    """Return (positive, negative) labels."""
    return [counts.get((key, sign), 0) for sign in ("1", "-1")]


def _agreement(found: Agreement | None) -> str:
    if found is None:
        return "not asked twice"
    low, high = found.interval
    return f"{found.agree / found.clips:.1%} ({low:.1%} to {high:.1%}) of {found.clips:,}"


def _alpha(found: AgreementRow | None) -> str:
    if found is None or found.krippendorff is None:
        return "unknown"
    if found.krippendorff_low is None:
        return f"{found.krippendorff:.2f}"
    return f"{found.krippendorff:.2f} ({found.krippendorff_low:.2f} to {found.krippendorff_high:.2f})"
