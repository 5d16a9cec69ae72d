"""Segments that people are asked about: proposals of a network go into the queue, and an expert's become gold.

  slac segments ask results.json --as localize-r0003       ActivityNet's `results` json, as `slac localize` writes it
  slac segments list                                       the rounds, and how many of their segments are answered
  slac segments gold --segment 3f2a9c01d4e5b677 --start 12.5 --end 31 --person mara
  slac segments gold --segment 3f2a9c01d4e5b677 --absent --person mara
  slac segments gold --segment 3f2a9c01d4e5b677 --drop

People answer on the page `segments`. A line that cannot be asked is set aside with its reason, and `slac show segments
round=ROUND` lists it. Safe to run again: the same file is the same round, and no segment is asked twice. Of two `ask`
or `gold` at once one goes on, and the other ends with 75. For more of a file, with another --score-least or
--video-most, want another name for --as. Withdrawn videos are never asked.
"""

import argparse
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from slac_tasks import config
from slac_tasks.admission.withdrawals import Withdrawals
from slac_tasks.errors import WrongArguments
from slac_tasks.given.flags import number
from slac_tasks.given.words import printable
from slac_tasks.progress import counted, print_json, print_line
from slac_tasks.storage import gold_segments, records
from slac_tasks.storage.datasets import SEGMENT_LABELS, SEGMENTS, VIDEOS
from slac_tasks.storage.gold_segments import GoldSegment
from slac_tasks.storage.ledger import Ledger, open_ledger
from slac_tasks.storage.manifests import Drop, Manifest
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.people import keep_known
from slac_tasks.storage.records import Record
from slac_tasks.storage.store import Store
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.segments.deciding import Ends
from slac_tasks.verification.segments.proposals import (
    AskableVideo,
    Known,
    Limits,
    Videos,
    askable,
    categories_of,
    queue_records,
    read,
)
from slac_tasks.verification.settings import Segments

_STAGE = "segments"
_FIRST = 5
"""So many lines that were set aside are printed."""
_ORIGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(dest="what", required=True)
    ask = verbs.add_parser("ask", help="put the proposals of a file into the queue")
    ask.add_argument("file", type=Path, help="ActivityNet's results json")
    ask.add_argument(
        "--as", dest="origin", required=True, metavar="NAME", help="who proposed them, e.g. localize-r0003"
    )
    ask.add_argument("--score-least", type=number, default=0.0, help="ask about proposals of this score or more")
    ask.add_argument(
        "--video-most", type=int, default=20, help="ask about so many segments of one category in one video, at most"
    )
    listed = verbs.add_parser("list", help="list the rounds and what became of them")
    listed.add_argument("--json", action="store_true", help="print one JSON object a line")
    gold = verbs.add_parser("gold", help="say which ends of a segment are right")
    gold.add_argument("--segment", required=True, help="segment of the queue")
    gold.add_argument("--start", type=number, help="known start, seconds")
    gold.add_argument("--end", type=number, help="known end, seconds")
    gold.add_argument("--absent", action="store_true", help="the action is not there")
    gold.add_argument("--drop", action="store_true", help="forget what was said")
    gold.add_argument("--person", help="whose word it is")


def main(arguments: argparse.Namespace) -> None:
    """Do what the verb says."""
    ledger = open_ledger()
    try:
        if arguments.what == "ask":
            settings = config.load()
            with ledger.alone(gold_segments.ASKING):
                _ask(Datasets(open_store(settings.store_url)), ledger, settings.segments, arguments)
        elif arguments.what == "gold":
            with ledger.alone(gold_segments.ASKING):
                _gold(ledger, open_store(config.load().store_url), arguments)
        else:
            _list(ledger, as_json=arguments.json)
    finally:
        ledger.close()


def _ask(datasets: Datasets, ledger: Ledger, settings: Segments, arguments: argparse.Namespace) -> None:
    """Write the segments of a file as a dataset, and put them into the queue."""
    origin, path = arguments.origin, arguments.file
    if not _ORIGIN.fullmatch(origin):
        raise WrongArguments(f"--as {origin!r}: want 1 to 64 letters, digits, '_' or '-'")
    if arguments.video_most < 1:
        raise WrongArguments(f"--video-most {arguments.video_most}: want 1 or more")
    proposed, drops = read(path)
    mark = hashlib.sha256(path.read_bytes()).hexdigest()
    round_ = f"{origin}.{mark[:8]}"
    limits = Limits(
        score_least=arguments.score_least,
        video_most=arguments.video_most,
        tiou_same=settings.tiou_least,
        votes_wanted=settings.votes_wanted,
    )
    made = datasets.manifest(SEGMENTS, round=round_)
    if made is not None:
        _check_same(made, limits)
    else:
        category_of = categories_of({row["category"]: row["name"] for row in ledger.rows("categories")})
        wanted = {category for line in proposed if (category := category_of(line.label))}
        withdrawn = Withdrawals.read(datasets.store)
        tombstones = {row["video_id"] for row in ledger.rows("tombstones")}
        known = Known(
            category_of=category_of, videos=_videos(datasets, wanted), asked=_asked(datasets, ledger),
            is_withdrawn=lambda video: video.video_id in tombstones or withdrawn.covers(video),
        )  # fmt: skip
        rows, refused = askable(proposed, origin, known, limits)
        drops = [*drops, *refused]
        if not rows:
            first = f"; the first: {drops[0].item}: {drops[0].detail}" if drops else ""
            raise WrongArguments(f"segments {path}: holds no proposal that can be asked, of {_counts(drops)}{first}")
        made = datasets.write(
            SEGMENTS, [SEGMENTS.table(rows)], keys={"round": round_}, stage=_STAGE,
            settings={_STAGE: vars(limits)}, made_from={f"file {path.name}": mark}, drops=drops,
        )  # fmt: skip
    records.record(ledger, [Record.of(made)])
    with ledger.transaction():
        ledger.run_many("queue_segment", queue_records(datasets.rows_of(SEGMENTS, made), round_))
    (queued,) = ledger.rows("queued_segments", round=round_)
    for drop in made.drops[:_FIRST]:
        print_line(printable(f"segments: set aside {drop.item}: {drop.reason}: {drop.detail}"))
    if made.drops:
        where = f"`slac show segments round={round_}` lists them"
        print_line(f"segments: set aside in all: {_counts(made.drops)}; {where}")
    print_line(f"segments: {round_}: {counted(made.rows, 'segment')}, {queued['segments']:,} of them in the queue")


def _check_same(made: Manifest, limits: Limits) -> None:
    """Refuse to ask about other proposals of a file than those of its round.

    Raises:
        WrongArguments: the flags are not those with which the round was made.

    """
    before = made.made_by.settings[_STAGE]
    for flag, name in (("--score-least", "score_least"), ("--video-most", "video_most")):
        if (given := getattr(limits, name)) != before[name]:
            raise WrongArguments(
                f"{flag} {given:g}: round {made.keys['round']} of the same file was asked with {before[name]:g}, want "
                "that, or another name for --as; nothing is asked twice"
            )


def _counts(drops: Sequence[Drop]) -> str:
    reasons = Counter(drop.reason for drop in drops)
    return ", ".join(f"{count:,} {reason}" for reason, count in sorted(reasons.items())) or "none"


def _videos(datasets: Datasets, categories: set[str]) -> Mapping[str, Videos]:
    """Return the admitted videos of these categories."""
    names = ["video_id", "source_id", "split", "proxy_256", "fps", "duration_sec"]
    return {
        category: Videos(
            AskableVideo(**row)
            for keys in datasets.partitions(VIDEOS, category=category)
            for row in datasets.read(VIDEOS, names, **keys).to_pylist()
        )
        for category in sorted(categories)
    }


def _asked(datasets: Datasets, ledger: Ledger) -> Mapping[tuple[str, str], Sequence[Ends]]:
    """Return the ends of every segment in the queue, and those to which people moved them, by category and video."""
    found: dict[tuple[str, str], list[Ends]] = defaultdict(list)
    for row in ledger.rows("asked_segments"):
        found[row["category"], row["video_id"]].append((row["start_sec"], row["end_sec"]))
    (newest,) = ledger.rows("newest_segment_labels")
    for label in datasets.rows(SEGMENT_LABELS, batch=newest["batch"]) if newest["batch"] else ():
        if label.label_start_sec is not None and label.label_end_sec is not None:
            found[label.category, label.video_id].append((label.label_start_sec, label.label_end_sec))
    return found


def _gold(ledger: Ledger, store: Store, arguments: argparse.Namespace) -> None:
    """Make a segment gold, or forget that it is: in the ledger, and in the store for a ledger that is restored."""
    ends = (arguments.start, arguments.end)
    if arguments.drop:
        # The store first: a repair puts back what is there, and a call that was cut off finds the ledger's row again.
        gold_segments.delete(store, arguments.segment)
        done = bool(ledger.rows("drop_gold_segment", segment_id=arguments.segment))
    else:
        if not arguments.person:
            raise WrongArguments("segments gold: --person is missing, want whose word it is")
        if arguments.absent != (ends == (None, None)):
            raise WrongArguments("segments gold: want --start and --end, or --absent")
        if not arguments.absent and (None in ends or not 0 <= ends[0] < ends[1]):
            raise WrongArguments(f"segments gold: ends are {ends[0]} and {ends[1]}, want 0 <= start < end in seconds")
        known = GoldSegment(segment_id=arguments.segment, start_sec=ends[0], end_sec=ends[1])
        with ledger.transaction():
            keep_known(ledger, arguments.person)
            done = bool(ledger.rows("add_gold_segment", **asdict(known), person=arguments.person))
        if done:
            gold_segments.put(store, known)
    if not done:
        raise WrongArguments(f"segment {arguments.segment!r}: not there, want one of the queue and ends in its video")
    print_line(f"segments: gold {'forgotten' if arguments.drop else 'known'}: {arguments.segment}")


def _list(ledger: Ledger, *, as_json: bool) -> None:
    rows = ledger.rows("segment_totals")
    if as_json:
        print_json(rows)
        return
    for row in rows:
        counts = (
            f"{counted(row['segments'], 'segment')}, {row['finished']:,} finished, {counted(row['answers'], 'answer')}"
        )
        print(printable(f"{row['round']:<32} {row['category']:<24} {counts}, {row['gold']:,} gold"))
