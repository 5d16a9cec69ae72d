"""Votes under fire: `python -m bench.sync [--quick]`.

One schedule: 50 people write at the same time on a real Postgres, each in transactions of its own that stay open for a
random while and now and then are rolled back, while `slac sync` runs again and again, two at a time, and is killed at
random instants: before a batch's rows, before its manifest, before its pointer. After a last sync the batches in the
store are compared with the table of votes. A thousand such schedules (--quick: as many as fit in 30 s), each with its
own dice. The last line is one JSON object.
"""

import contextlib
import io
import random
import sys
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

import psycopg2

from bench.harness import Bench, Figures, Seed
from bench.harness.costs import now
from bench.harness.places import ledger, postgres
from bench.harness.tables import table
from slac_tasks.admission.likeness.lookalikes import stored
from slac_tasks.config import Config
from slac_tasks.errors import Temporary
from slac_tasks.job import Job
from slac_tasks.progress import track
from slac_tasks.scratch import Scratch
from slac_tasks.stages import sync
from slac_tasks.storage.datasets import VOTES
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.tables import Datasets

CLIPS, VOTES_OF_ONE = 100, 3
CLIP = {"category": "anything", "video_id": "v", "round": "2026-01-05.p1", "strategy": "random", "split": "training",
        "proxy_256": "media/v/256.mp4", "votes_wanted": 3, "lead": 0, "audit_share": None,
        "alike": None, "queued_at": None}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is tried."""

    schedules: Annotated[int, "schedules"] = 1000
    writers: Annotated[int, "people who write at the same time"] = 50
    seconds: Annotated[float, "no schedule starts after this long"] = float("inf")
    seed: Seed = 0


class Killed(BaseException):
    """What a SIGKILL is to the code that it meets: nothing after this line runs."""


class Mortal(FolderStore):
    """A store whose process dies at its n-th write."""

    def __init__(self, root: Path, writes: int) -> None:
        super().__init__(root)
        self.writes = writes

    def _age(self) -> None:
        self.writes -= 1
        if self.writes < 0:
            raise Killed

    def put(self, name: str, data: bytes) -> None:
        """Write, unless this write is the one."""
        self._age()
        super().put(name, data)

    def create(self, name: str, data: bytes) -> bool:
        """Write, unless this write is the one."""
        self._age()
        return super().create(name, data)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one schedule."""

    votes: int
    missing: int
    doubled: int
    syncs: int
    killed: int


def prepare(url: str, writers: int) -> None:
    """Fill an empty ledger: one video, a few clips, the people."""
    made = Ledger(url)
    made.run("register_category", category="anything", name="Anything", guideline=None)
    made.run(
        "add_video", video_id="v", media_sha256="0" * 64, group_id="v", split="training", proxy_256=None, **stored([])
    )
    for place in range(CLIPS):
        clip = {"clip_id": f"v:{1000 * place}", "start_sec": float(place), "end_sec": place + 2.0}
        made.run("queue_clip", **CLIP, **clip)
    made.run_many("ensure_annotator", [{"annotator": f"p{person}"} for person in range(writers)])
    made.close()


def empty(url: str) -> None:
    """Forget all votes and batches."""
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("TRUNCATE votes, vote_origins, outbox, batches, batch_votes, batch_rulings, leases, datasets")
    connection.close()


def write(connected: Ledger, person: int, dice: random.Random) -> set[str]:
    """Cast votes as one person, in transactions that stay open; return those that committed."""
    kept: set[str] = set()
    for clip in dice.sample(range(CLIPS), VOTES_OF_ONE):
        vote_id = str(uuid.UUID(int=dice.getrandbits(128), version=4))
        with contextlib.suppress(TimeoutError):
            with connected.transaction():
                connected.one(
                    "cast_vote", vote_id=vote_id, clip_id=f"v:{1000 * clip}", category="anything", seconds=1.0,
                    annotator=f"p{person}", answer="yes", guideline_version=1, supersedes=None, set_id=None,
                )  # fmt: skip
                time.sleep(dice.expovariate(200))
                if dice.random() < 0.1:
                    raise TimeoutError  # rolled back
            kept.add(vote_id)
    return kept


def collect(url: str, folder: Path, dice: random.Random) -> tuple[int, int]:
    """Run sync a few times, some to the death; return (runs, deaths)."""
    deaths = 0
    runs = dice.randint(2, 4)
    for _ in range(runs):
        time.sleep(dice.uniform(0, 0.02))
        job = Job(stage="sync", config=Config(store_url=str(folder)), environ={"SLAC_DATABASE_URL": url})
        if dice.random() < 0.4:
            vars(job)["store"] = Mortal(folder, dice.randrange(3))
        try:
            sync.run(job)
        except Killed:
            deaths += 1
        except Temporary:
            pass  # the other sync finished the same batch first
        finally:
            # A dead process holds no connection; nor does one that has ended.
            if "ledger" in vars(job):
                job.ledger.close()
    return runs, deaths


def schedule(url: str, writers: Sequence[Ledger], pool: ThreadPoolExecutor, seed: int) -> Outcome:
    """Run one schedule on an empty table of votes and an empty store."""
    dice = random.Random(seed)
    empty(url)
    with Scratch() as folder:
        work = [
            pool.submit(write, connected, person, random.Random(dice.random()))
            for person, connected in enumerate(writers)
        ]
        syncs = [pool.submit(collect, url, folder, random.Random(dice.random())) for _ in range(2)]
        cast = set().union(*(one.result() for one in work))
        ran = [one.result() for one in syncs]
        collect_all = Job(stage="sync", config=Config(store_url=str(folder)), environ={"SLAC_DATABASE_URL": url})
        sync.run(collect_all)
        collect_all.ledger.close()
        datasets = Datasets(FolderStore(folder))
        tables = [datasets.read(VOTES, ["vote_id"], **keys) for keys in datasets.partitions(VOTES)]
        found = [vote for table in tables for vote in table["vote_id"].to_pylist()]
    return Outcome(
        votes=len(cast), missing=len(cast - set(found)), doubled=len(found) - len(set(found)) + len(set(found) - cast),
        syncs=sum(runs for runs, _ in ran) + 1, killed=sum(deaths for _, deaths in ran),
    )  # fmt: skip


def measure(size: Size, folder: Path) -> Figures:
    """Run schedule after schedule on one Postgres."""
    outcomes: list[Outcome] = []
    with postgres(folder) as server, ThreadPoolExecutor(size.writers + 2) as pool:
        url = ledger(server)
        prepare(url, size.writers)
        writers = [Ledger(url) for _ in range(size.writers)]
        began = now()
        for number in track(range(size.schedules), size.schedules, "bench.sync"):
            with contextlib.redirect_stderr(io.StringIO()):
                outcomes.append(schedule(url, writers, pool, size.seed + number))
            if (now() - began).wall_sec > size.seconds:
                break
        took = now() - began
        for connected in writers:
            connected.close()
    total = {
        field.name: sum(getattr(outcome, field.name) for outcome in outcomes) for field in fields(Outcome)
    }  # fmt: skip
    print(f"{len(outcomes)} schedules of {size.writers} writers in {took.wall_sec:.0f} s")
    print(table({"what": "", "number": ""}, total.items()))
    return {
        "schedules": len(outcomes),
        "missing": total["missing"],
        "doubled": total["doubled"],
        "votes": total["votes"],
        "killed": total["killed"],
        "scale": len(outcomes) / Size().schedules,
    }


BENCH = Bench(
    name="sync", doc=__doc__, measure=measure,
    full=Size(), quick=Size(seconds=30.0), tiny=Size(schedules=5, writers=5),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
