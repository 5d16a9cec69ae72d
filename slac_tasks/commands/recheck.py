"""How much of a release could still be fetched: counts by reason, in all and by category.

slac recheck --release r0001                    ask for every video
slac recheck --release r0001 --sample 2000      ask for so many, drawn by a fixed hash; the share has a 95 % interval

One request per video (pages of video sites: as many as the site needs), within the budgets of `[fetch]`.
It changes nothing.
"""

import argparse
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from slac_tasks import config
from slac_tasks.admission.withdrawals import TAKEN_DOWN, Withdrawals, print_unaddressed
from slac_tasks.collect import locations
from slac_tasks.collect.downloads.reasons import Unfetched
from slac_tasks.collect.downloads.turns import in_turn
from slac_tasks.collect.locations import Access
from slac_tasks.given.flags import whole
from slac_tasks.intervals import wilson
from slac_tasks.model import unit_hash
from slac_tasks.progress import print_json, track
from slac_tasks.storage.datasets import FETCHED, RELEASES, VIDEOS
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets

FETCHABLE = "fetchable"


@dataclass(frozen=True, kw_only=True)
class ReleasedVideo:
    """A video of a release, for one category, and where it was found."""

    category: str
    video_id: str
    source: str
    source_id: str
    location: str | None = None
    """None where an older version fetched it, which wrote no addresses, or where it is fetched no more."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--release", required=True, help="key of the release")
    parser.add_argument("--sample", type=whole(1), help="ask for so many videos instead of all")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


def main(arguments: argparse.Namespace) -> None:
    """Print the table, the total last."""
    loaded = config.load()
    datasets = Datasets(open_store(loaded.store_url))
    rows = videos(datasets, arguments.release)
    if arguments.sample is not None:
        rows = sampled(rows, arguments.sample)
    access = Access(collect=loaded.collect, fetch=loaded.fetch, environ=os.environ)
    found = check(rows, access, Withdrawals.read(datasets.store))
    if arguments.json:
        print_json({"category": category, **counts} for category, counts in sorted(found.items()))
        return
    print(render(found))
    good, total = sum(counts[FETCHABLE] for counts in found.values()), sum(sum(c.values()) for c in found.values())
    low, high = wilson(good, total)
    print(f"release {arguments.release}: {good:,} of {total:,} videos could be fetched, {good / max(1, total):.1%}"
          + (f" (95 % interval {low:.1%} to {high:.1%})" if arguments.sample is not None else ""))  # fmt: skip


def sampled(rows: Sequence[ReleasedVideo], size: int) -> list[ReleasedVideo]:
    """Return so many of the rows, drawn by a fixed hash."""
    return sorted(rows, key=lambda row: unit_hash("recheck", row.video_id, row.category))[:size]


def videos(datasets: Datasets, release: str) -> list[ReleasedVideo]:
    """Return each video and category of a release once, with where it was found."""
    found: dict[tuple[str, str], ReleasedVideo] = {}
    columns = ("category", "video_id", "source", "source_id")
    made = datasets.need(RELEASES, release=release)
    for table in datasets.tables(made, columns):
        for category, video_id, source, source_id in zip(*(table[name].to_pylist() for name in columns), strict=True):
            found[category, video_id] = ReleasedVideo(
                category=category, video_id=video_id, source=source, source_id=source_id
            )
    places = [keys for address in sorted(made.made_from) if (keys := VIDEOS.keys_at(address))]
    manifests = [one for keys in places if (one := datasets.manifest(FETCHED, **keys)) is not None]
    for manifest in manifests:
        for row in datasets.rows_of(FETCHED, manifest):
            if video := found.get((manifest.keys["category"], row.video_id)):
                found[video.category, video.video_id] = replace(video, location=row.location)
    print_unaddressed("recheck", manifests)
    return list(found.values())


def check(rows: Sequence[ReleasedVideo], access: Access, withdrawals: Withdrawals) -> dict[str, Counter[str]]:
    """Return, for each category, how many videos could be fetched and how many not for which reason."""
    work = partial(outcome, access=access, withdrawals=withdrawals)
    results = in_turn(rows, lambda row: locations.parse(row.location or "").host, work, access.web.hosts, access.fetch)
    found: dict[str, Counter[str]] = {}
    for row, ended in track(results, len(rows), "recheck"):
        reason = ended.reason if isinstance(ended, Unfetched) else ended
        found.setdefault(row.category, Counter())[reason] += 1
    return found


def outcome(row: ReleasedVideo, *, access: Access, withdrawals: Withdrawals) -> str:
    """Return `fetchable`, or `taken down`.

    Raises:
        Unfetched: it could not be fetched now.

    """
    if withdrawals.covers(row):
        return TAKEN_DOWN
    if row.location is None:
        raise Unfetched("address unknown", "fetch wrote none, want `slac fetch --remake`")
    locations.parse(row.location, row.source).probe(access)
    return FETCHABLE


def render(found: Mapping[str, Counter[str]]) -> str:
    """Return a table with one line per category and one column per reason, the commonest first."""
    total: Counter[str] = Counter()
    for counts in found.values():
        total.update(counts)
    reasons = _ordered(total)
    lines = [f"{'category':<32}" + "".join(f"{reason:>17}" for reason in reasons)]
    for name, counts in [*sorted(found.items()), ("all categories", total)]:
        lines.append(f"{name:<32}" + "".join(f"{counts[reason]:>17,}" for reason in reasons))
    return "\n".join(lines)


def _ordered(counts: Counter[str]) -> Iterable[str]:
    return [FETCHABLE, *(reason for reason, _ in counts.most_common() if reason != FETCHABLE)]
