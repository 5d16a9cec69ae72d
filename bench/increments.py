"""What a batch of votes costs, on few labels and on many: `python -m bench.increments [--quick]`.

Two platforms with a real Postgres: one with 20,000 labels and one with 1.75 million, in 200 categories. Each is made by
the stage itself from two answers to every clip. Then 500 answers at a time, on clips of all categories, become votes,
`slac sync` takes them into a batch, and `slac aggregate` is measured: its seconds, the bytes that it writes, and the
memory of its process. Half of the clips have labels already. The last version is read whole in a process of its own.
The last line is one JSON object.
"""

import random
import statistics
import sys
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import psycopg2

from bench.harness import Bench, Figures, Seed
from bench.harness.costs import cost, peak_bytes, resident_bytes, slac
from bench.harness.places import platform
from bench.harness.rows import copy
from bench.harness.tables import table
from slac_tasks import config
from slac_tasks.job import Job
from slac_tasks.stages import aggregate, sync
from slac_tasks.storage.datasets import LABEL_CHANGES, VOTES
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.versions import newest_labels, read_labels

GIB = 1 << 30
CLIPS_PER_VIDEO, PEOPLE = 4, 100
ROUND = "2026-01-05.p0"


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is labelled, and how much is new."""

    small: Annotated[int, "labels of the small platform"] = 20_000
    large: Annotated[int, "labels of the large platform"] = 1_750_000
    categories: Annotated[int, "categories"] = 200
    votes: Annotated[int, "votes in a batch"] = 500
    batches: Annotated[int, "batches that are measured"] = 7
    seed: Seed = 0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a platform costs."""

    labels: int
    whole_sec: float
    """The first version, all of it, as a process."""
    whole_gib: float
    seconds: float
    """`aggregate` of one batch, the median."""
    bytes: float
    """What it writes, the median."""
    peak_gib: float
    """The most memory of `slac aggregate` with a batch, as a process."""
    read_gib: float
    """Memory that a process needs to read all labels, beside what it holds before."""


def measure(size: Size, folder: Path) -> Figures:
    """Measure both platforms, one after the other."""
    small, large = (
        _measured(size, labels, folder / name) for name, labels in (("small", size.small), ("large", size.large))
    )
    print(
        table(
            {"labels": "", "all at once, s": ".1f", "GiB": ".2f", "a batch, s": ".3f", "KiB written": ".1f",
             "peak, GiB": ".3f", "to read all, GiB": ".3f"},
            [
                (f"{one.labels:,}", one.whole_sec, one.whole_gib, one.seconds, one.bytes / 1024, one.peak_gib,
                 one.read_gib)
                for one in (small, large)
            ],
        )
    )  # fmt: skip
    return {
        "seconds_small": small.seconds,
        "seconds_large": large.seconds,
        "ratio": large.seconds / small.seconds,
        "peak_gib": max(small.peak_gib, large.peak_gib),
        "bytes_ratio": large.bytes / small.bytes,
        "read_gib": large.read_gib,
        "whole_seconds": large.whole_sec,
        "whole_gib": large.whole_gib,
        "scale": size.large / Size().large,
    }


def _measured(size: Size, labels: int, folder: Path) -> Outcome:
    """Make a platform with this many labels, and measure batch after batch."""
    dice = random.Random(size.seed)
    folder.mkdir()
    with platform(folder) as url:
        datasets = Datasets(open_store(url))
        job = Job(stage="aggregate", config=config.load())
        with psycopg2.connect(job.environ["SLAC_DATABASE_URL"]) as connection:
            fill(connection, labels, size.categories, dice)
            # The votes of the first batch are in the ledger; the store needs to know the batch alone.
            datasets.write(
                VOTES, [VOTES.table([])], keys={"batch": "000001"}, stage="sync", settings={}, made_from={}
            )  # fmt: skip
        with connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute("VACUUM ANALYZE")
        connection.close()
        whole = slac(["aggregate"], folder / "log")
        seconds, written = [], []
        given = questions(labels, size, dice)
        for number in range(size.batches):
            vote(job, next(given), dice)
            seconds.append(cost(lambda: aggregate.run(job)).wall_sec)
            written.append(_bytes(datasets, f"{number + 2:06d}"))
        vote(job, next(given), dice)
        batch = slac(["aggregate"], folder / "log")
        job.ledger.close()
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            read_gib = process.submit(_read_all, url).result() / GIB
    return Outcome(
        labels=labels, whole_sec=whole.wall_sec, whole_gib=whole.peak_bytes / GIB, seconds=statistics.median(seconds),
        bytes=statistics.median(written), peak_gib=batch.peak_bytes / GIB, read_gib=read_gib,
    )  # fmt: skip


def _clips(labels: int) -> int:
    """Return how many clips are asked where so many have labels."""
    return labels + labels // 5


def _named(category: int) -> str:
    return f"category_{category:03d}"


def clip_name(number: int) -> str:
    """Return the id of a clip."""
    video, place = divmod(number, CLIPS_PER_VIDEO)
    return f"{video:016x}:{place * 2000}"


def category_name(number: int, categories: int) -> str:
    """Return the category of a clip: that of its video."""
    return _named(number // CLIPS_PER_VIDEO % categories)


def fill(connection: "psycopg2.extensions.connection", labels: int, categories: int, dice: random.Random) -> None:
    """Fill a ledger by COPY: two equal answers to each of so many clips, and more clips that nobody answered."""
    clips = _clips(labels)

    def queued() -> Iterator[str]:
        for number in range(clips):
            video, start = f"{number // CLIPS_PER_VIDEO:016x}", number % CLIPS_PER_VIDEO * 2
            state = "finished\t2" if number < labels else "open\t0"
            place = f"{ROUND}\trandom\t{start}\t{start + 2}\ttraining\tmedia/{video}/256.mp4"
            yield f"{clip_name(number)}\t{category_name(number, categories)}\t{video}\t{place}\t2\t{state}\n"

    ids = [str(uuid.UUID(int=dice.getrandbits(128), version=4)) for _ in range(2 * labels)]

    def votes() -> Iterator[str]:
        for number, vote_id in enumerate(ids):
            clip = f"{clip_name(number // 2)}\t{category_name(number // 2, categories)}"
            answer = ("yes", "no")[number // 2 % 3 == 0]
            yield f"{vote_id}\t{clip}\tperson_{number % PEOPLE:03d}\t{answer}\t4.2\t1\n"

    with connection.cursor() as cursor:
        # Neither triggers nor foreign keys: the rows are what both would make of them.
        cursor.execute("SET session_replication_role = replica")
        copy(cursor, "categories (category, name)", (f"{name}\t{name}\n" for name in map(_named, range(categories))))
        copy(cursor, "annotators (annotator)", (f"person_{number:03d}\n" for number in range(PEOPLE + 1)))
        copy(
            cursor, "videos (video_id, media_sha256, group_id, split, frame_hashes)",
            (f"{video:016x}\t{video:064x}\t{video:016x}\ttraining\t{{}}\n" for video in
             range(clips // CLIPS_PER_VIDEO + 1)),
        )  # fmt: skip
        copy(
            cursor,
            "queue (clip_id, category, video_id, round, strategy, start_sec, end_sec, split, proxy_256, votes_wanted, "
            "state, taken)", queued(),
        )  # fmt: skip
        copy(
            cursor, "votes (vote_id, clip_id, category, annotator, answer, seconds, guideline_version)", votes()
        )  # fmt: skip
        copy(cursor, "batches (batch, vote_count, is_stored)", iter([f"1\t{len(ids)}\tt\n"]))
        copy(cursor, "batch_votes (vote_id, batch)", (f"{vote_id}\t1\n" for vote_id in ids))
        cursor.execute("SET session_replication_role = DEFAULT")


Question = tuple[str, str]
"""A clip and its category."""


def questions(labels: int, size: Size, dice: random.Random) -> Iterator[list[Question]]:
    """Yield the clips of batch after batch: half of them have labels, none is asked twice."""
    half = size.votes // 2
    known = dice.sample(range(labels), half * (size.batches + 1))
    unknown = dice.sample(range(labels, _clips(labels)), half * (size.batches + 1))
    for first in range(0, len(known), half):
        yield [
            (clip_name(number), category_name(number, size.categories))
            for number in (*known[first : first + half], *unknown[first : first + half])
        ]


def vote(job: Job, asked: Sequence[Question], dice: random.Random) -> None:
    """Let one more person answer about these clips, and take the votes into a batch."""
    job.ledger.run_many(
        "cast_vote",
        [
            {
                "vote_id": str(uuid.UUID(int=dice.getrandbits(128), version=4)),
                "clip_id": clip, "category": category,
                "annotator": f"person_{PEOPLE:03d}", "answer": dice.choice(["yes", "no"]), "seconds": 4.2,
                "guideline_version": 1, "supersedes": None, "set_id": None,
            }
            for clip, category in asked
        ],
    )  # fmt: skip
    sync.run(Job(stage="sync", config=job.config))


def _bytes(datasets: Datasets, version: str) -> int:
    """Return how many bytes the store holds of a version of the labels that is stored as changes."""
    names = datasets.store.names(LABEL_CHANGES.address({"labels": version}) + "/")
    return sum(len(datasets.store.get(name)) for name in names)


def _read_all(url: str) -> int:
    """Read all columns of the newest labels; return how many bytes that took."""
    before = resident_bytes()
    datasets = Datasets(open_store(url))
    labels = newest_labels(datasets)
    assert labels is not None
    read_labels(datasets, labels)
    return peak_bytes() - before


BENCH = Bench(
    name="increments", doc=__doc__, measure=measure, full=Size(), quick=Size(large=60_000, batches=5),
    tiny=Size(small=400, large=1200, categories=4, votes=20, batches=2),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
