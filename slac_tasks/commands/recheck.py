"""How much of a release could still be fetched: counts by reason, in all and by category.

slac recheck --release r0001                    ask for every video
slac recheck --release r0001 --sample 2000      ask for so many, drawn by a fixed hash; the share has a 95 % interval

One request per video (pages of video sites: as many as the site needs), within the budgets of `[fetch]`.
It changes nothing.
"""

import argparse
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from slac_tasks import config
from slac_tasks.admission.withdrawals import Takedowns
from slac_tasks.collect.downloads.reasons import Unfetched
from slac_tasks.collect.downloads.turns import in_turn
from slac_tasks.collect.downloads.web import Web, host_of, look
from slac_tasks.intervals import wilson
from slac_tasks.model import parse_round_key, unit_hash
from slac_tasks.progress import track
from slac_tasks.storage.datasets import CANDIDATES, RELEASES
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets

FETCHABLE = "fetchable"

Row = Mapping[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--release", required=True, help="key of the release")
    parser.add_argument("--sample", type=int, help="ask for so many videos instead of all")


def main(arguments: argparse.Namespace) -> None:
    """Print the table, the total last."""
    loaded = config.load()
    datasets = Datasets(open_store(loaded.store_url))
    rows = videos(datasets, arguments.release)
    if arguments.sample is not None:
        rows = sorted(rows, key=lambda row: unit_hash("recheck", row["video_id"], row["category"]))[: arguments.sample]
    web = Web(loaded.fetch, allow_private=loaded.collect.allow_private_addresses)
    found = check(rows, web, loaded, Takedowns.read(datasets.store))
    print(render(found))
    good, total = sum(counts[FETCHABLE] for counts in found.values()), sum(sum(c.values()) for c in found.values())
    low, high = wilson(good, total)
    print(f"release {arguments.release}: {good:,} of {total:,} videos could be fetched, {good / max(1, total):.1%}"
          + (f" (95 % interval {low:.1%} to {high:.1%})" if arguments.sample is not None else ""))  # fmt: skip


def videos(datasets: Datasets, release: str) -> list[Row]:
    """Return each video and category of a release once, with where it was found."""
    wanted: dict[tuple[str, str], Row] = {}
    for row in datasets.read(
        RELEASES, ["video_id", "category", "round", "source", "source_id"], release=release
    ).to_pylist():
        wanted.setdefault((row["category"], row["video_id"]), row)
    places: dict[tuple[str, str], dict[tuple[str, str], str]] = {}
    for row in wanted.values():
        at = (row["category"], str(parse_round_key(row["round"])[0]))
        if at not in places:
            listed = datasets.read(
                CANDIDATES, ["source", "source_id", "location"], category=at[0], window=at[1]
            ).to_pylist()
            places[at] = {(one["source"], one["source_id"]): one["location"] for one in listed}
    return [
        {**row, "location": places[row["category"], str(parse_round_key(row["round"])[0])].get(
            (row["source"], row["source_id"]), "")}
        for row in wanted.values()
    ]  # fmt: skip


def check(rows: list[Row], web: Web, loaded: config.Config, takedowns: Takedowns) -> dict[str, Counter[str]]:
    """Return, for each category, how many videos could be fetched and how many not for which reason."""
    results = in_turn(rows, _host, partial(outcome, web=web, takedowns=takedowns), web.hosts, loaded.fetch)
    found: dict[str, Counter[str]] = {}
    for row, said in track(results, len(rows), "recheck"):
        reason = said.reason if isinstance(said, Unfetched) else said
        found.setdefault(row["category"], Counter())[reason] += 1
    return found


def _host(row: Row) -> str:
    return host_of(str(row["location"]).removeprefix("yt-dlp+")) if "://" in row["location"] else ""


def outcome(row: Row, *, web: Web, takedowns: Takedowns) -> str:
    """Return `fetchable`, or `taken down`.

    Raises:
        Unfetched: it could not be fetched now.

    """
    location = str(row["location"])
    if takedowns.covers(row):
        return "taken down"
    if location.startswith("yt-dlp+"):
        from slac_tasks.collect.downloads.sites import about

        look(web, str(about(web, location.removeprefix("yt-dlp+"))["url"]))
    elif location.startswith(("http://", "https://")):
        look(web, location)
    elif location.startswith("s3://"):
        bucket, _, name = location.removeprefix("s3://").partition("/")
        if not open_store(f"s3://{bucket}", os.environ).exists(name):
            raise Unfetched("gone", f"{location}: no such object")
    elif not Path(location).is_file():
        raise Unfetched("gone", f"{location}: no such file")
    return FETCHABLE


def render(found: Mapping[str, Counter[str]]) -> str:
    """Return a table with one line per category and one column per reason, the commonest first."""
    total: Counter[str] = Counter()
    for counts in found.values():
        total.update(counts)
    reasons = _ordered(total)
    lines = [f"{'category':<32}" + "".join(f"{reason:>17}" for reason in reasons)]
    for name, counts in [*sorted(found.items()), ("all", total)]:
        lines.append(f"{name:<32}" + "".join(f"{counts[reason]:>17,}" for reason in reasons))
    return "\n".join(lines)


def _ordered(counts: Counter[str]) -> Iterable[str]:
    return [FETCHABLE, *(reason for reason, _ in counts.most_common() if reason != FETCHABLE)]
