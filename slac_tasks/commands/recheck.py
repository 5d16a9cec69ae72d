"""How much of a release could still be fetched: counts by reason, in all and by category.

slac recheck --release r0001                    ask for every video
slac recheck --release r0001 --sample 2000      ask for so many, drawn by a fixed hash; the share has a 95 % interval
slac recheck --release r0001 --to gone.jsonl    list each video with its reason as well

One request per video (pages of video sites: as many as the site needs), within the budgets of `[fetch]`. It changes
nothing. Of a large release that takes days: with --to a run that was cut off goes on, and asks again only for what the
file does not hold, or has with a reason that may pass. To ask for all anew name another file.
"""

import argparse
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from slac_tasks import config, json_lines
from slac_tasks.admission.withdrawals import TAKEN_DOWN, Withdrawals, print_unaddressed
from slac_tasks.collect import locations
from slac_tasks.collect.downloads.reasons import Unfetched
from slac_tasks.collect.downloads.turns import in_turn
from slac_tasks.collect.locations import Access
from slac_tasks.errors import WrongArguments
from slac_tasks.given.flags import whole
from slac_tasks.intervals import wilson
from slac_tasks.model import unit_hash
from slac_tasks.progress import counted, print_json, print_line, track
from slac_tasks.storage.datasets import FETCHED, RELEASES, VIDEOS
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets

FETCHABLE = "fetchable"
_BEGINS = b'{"release": '
"""How a file of outcomes begins."""


@dataclass(frozen=True, kw_only=True)
class ReleasedVideo:
    """A video of a release, for one category, and where it was found."""

    category: str
    video_id: str
    source: str
    source_id: str
    location: str | None = None
    """None where an older version fetched it, which wrote no addresses, or where it is fetched no more."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a video for one category: it could be fetched, or why not."""

    category: str
    video_id: str
    reason: str
    detail: str = ""
    retryable: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--release", required=True, help="key of the release")
    parser.add_argument("--sample", type=whole(1), help="ask for so many videos instead of all")
    parser.add_argument("--to", type=Path, help="file of the outcomes, one JSON object a line; it is gone on with")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


def main(arguments: argparse.Namespace) -> None:
    """Print the table, the total last."""
    loaded = config.load()
    datasets = Datasets(open_store(loaded.store_url))
    rows = videos(datasets, arguments.release)
    if arguments.sample is not None:
        rows = sampled(rows, arguments.sample)
    access = Access(collect=loaded.collect, fetch=loaded.fetch, environ=os.environ)
    withdrawals = Withdrawals.read(datasets.store)
    if arguments.to is None:
        found = by_category(ask(rows, access, withdrawals))
    else:
        known = known_in(arguments.to, arguments.release, rows, withdrawals)
        rest = [row for row in rows if (row.category, row.video_id) not in known]
        found = by_category([*known.values(), *kept(arguments.to, arguments.release, ask(rest, access, withdrawals))])
    if arguments.json:
        print_json({"category": category, **counts} for category, counts in sorted(found.items()))
        return
    print(render(found))
    good, total = sum(counts[FETCHABLE] for counts in found.values()), sum(sum(c.values()) for c in found.values())
    low, high = wilson(good, total)
    print(f"release {arguments.release}: {good:,} of {counted(total, 'video')} could be fetched, "
    f"{good / max(1, total):.1%}"
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


def known_in(
    path: Path, release: str, rows: Iterable[ReleasedVideo], withdrawals: Withdrawals
) -> dict[tuple[str, str], Outcome]:
    """Return the outcomes that a file holds of these videos, by category and video_id; what may pass does not count.

    Raises:
        WrongArguments: it is another file, or cannot be read.

    """
    another = WrongArguments(f"--to {path}: is there and holds no outcomes, want the name of a new file")
    try:
        with path.open("rb") as file:
            begins = file.readline(len(_BEGINS))
            # A line that a kill has torn is the last one, or one that this program has gone on after.
            follows = b"" if begins == _BEGINS else file.readline(len(_BEGINS))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise WrongArguments(f"--to {path}: cannot be read: {error.strerror}") from error
    if begins == b"\n" or not all(_BEGINS.startswith(line.rstrip(b"\n")) for line in (begins, follows)):
        raise another
    wanted = {(row.category, row.video_id) for row in rows if not withdrawals.covers(row)}
    found = {}
    for said in json_lines.read(path):
        try:
            of = said.pop("release")
            one = Outcome(**said)
        except (AttributeError, KeyError, TypeError) as error:
            raise another from error
        if of == release and (one.category, one.video_id) in wanted:
            found[one.category, one.video_id] = one
    known = {key: one for key, one in found.items() if not one.retryable}
    print_line(f"recheck: {len(known):,} asked for before")
    return known


def kept(path: Path, release: str, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """Yield outcomes, each once it is in the file.

    Raises:
        WrongArguments: it cannot be written.

    """
    for one in outcomes:
        try:
            json_lines.append(path, {"release": release, **asdict(one)})
        except OSError as error:
            raise WrongArguments(f"--to {path}: cannot be written: {error.strerror}") from error
        yield one


def ask(rows: Sequence[ReleasedVideo], access: Access, withdrawals: Withdrawals) -> Iterator[Outcome]:
    """Yield what becomes of each video, as the answers come."""
    work = partial(outcome, access=access, withdrawals=withdrawals)
    results = in_turn(rows, lambda row: locations.parse(row.location or "").host, work, access.web.hosts, access.fetch)
    for row, ended in track(results, len(rows), "recheck"):
        found = Outcome(category=row.category, video_id=row.video_id, reason=str(ended))
        if isinstance(ended, Unfetched):
            found = replace(found, reason=ended.reason, detail=ended.detail, retryable=ended.retryable)
        yield found


def by_category(outcomes: Iterable[Outcome]) -> dict[str, Counter[str]]:
    """Return, for each category, how many videos could be fetched and how many not for which reason."""
    found: dict[str, Counter[str]] = {}
    for one in outcomes:
        found.setdefault(one.category, Counter())[one.reason] += 1
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
