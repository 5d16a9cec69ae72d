"""Many people review at once: `python -m bench.review [--quick]`.

A real `slac web` in processes of its own, on an embedded Postgres with fsync on, and a queue filled by COPY. Simulated
reviewers speak HTTP as the page does: they log in, ask for clips in hand, think for three seconds on average, answer,
ask for more when half of what they hold is left, keep what was not taken and send it again. Once the service and once
the database are killed (SIGKILL) and started again; requests that touch these times are counted apart. At the end the
ledger is compared with what every client noted. Media is left out. The last line is one JSON object.

`modelled_sec_alone` and `modelled_sec_set_<exceptions>` are no measurements of people. They are what a clip costs that
is asked alone, and one in a set of twelve with so many exceptions, by the keystroke-level model
(`slac_tasks.world.people`).

Full scale (scale 1.0): 200 reviewers, 2,000,000 pending clips, ten minutes. scale is the product of the three shares.
"""

import asyncio
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import aiohttp

from bench.harness import Bench, Figures
from bench.harness.places import ledger, postgres
from bench.harness.reviewers import Log, compare, crowd, fill, healthy, send_all
from bench.harness.service import Service, percentile
from bench.harness.tables import listing
from slac_tasks.launcher.postgres import EmbeddedPostgres
from slac_tasks.verification.sets import SET_MOST
from slac_tasks.world.people import alone_seconds, set_seconds

RECOVERY_SEC = 3.0
"""After a server answers again, this long still belongs to its kill."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much of it there is."""

    people: Annotated[int, "simulated reviewers"] = 200
    clips: Annotated[int, "clips in the queue"] = 2_000_000
    seconds: Annotated[float, "how long they review"] = 600.0
    gold: Annotated[int, "gold clips of one category"] = 200
    think_sec: Annotated[float, "how long a person looks at a clip, on average"] = 3.0
    workers: Annotated[int, "processes of the service"] = 2

    @property
    def scale(self) -> float:
        """Share of the full scale."""
        full = Size()
        return self.people / full.people * self.clips / full.clips * self.seconds / full.seconds


async def disturb(
    service: Service, server: EmbeddedPostgres, log: Log, http: aiohttp.ClientSession, seconds: float
) -> None:
    """Kill the service at a third of the time and the database at two thirds."""

    async def back(began: float) -> None:
        await healthy(http, service.url)
        log.disturbed.append((began, time.monotonic() + RECOVERY_SEC))

    await asyncio.sleep(seconds / 3)
    began = time.monotonic()
    service.kill()
    await asyncio.sleep(1)
    service.start()
    await back(began)
    await asyncio.sleep(max(0.0, seconds * 2 / 3 - (time.monotonic() - began) - seconds / 3))
    began = time.monotonic()
    server.kill()
    await asyncio.sleep(1)
    await asyncio.to_thread(server.start)
    await back(began)


async def reviewing(service: Service, server: EmbeddedPostgres, size: Size) -> Log:
    """Let everybody review for the time, with the two kills in it; return what they noted."""
    log = Log()
    async with crowd(service.url, log, size.people, size.think_sec) as people:
        until = time.monotonic() + size.seconds
        disturbance = disturb(service, server, log, people[0].http, size.seconds)
        await asyncio.gather(disturbance, *(person.review(until) for person in people))
        await send_all(people)
    return log


def modelled() -> dict[str, float]:
    """Return the modelled seconds for a clip, alone and in a set of twelve with some exceptions."""
    in_sets = {f"modelled_sec_set_{count}": set_seconds(SET_MOST, count) / SET_MOST for count in (0, 1, 3)}
    return {"modelled_sec_alone": alone_seconds(), **in_sets}


def figures(log: Log, found: dict[str, int], size: Size) -> Figures:
    """Return the bench's figures; times in milliseconds."""
    calm = [call for call in log.calls if not log.is_disturbed(call[1], call[2])]
    took = {
        kind: [1000 * (end - begin) for what, begin, end, _ in calm if what == kind]
        for kind in ("next", "vote", "open")
    }
    return {
        "p95_ms": percentile(took["next"], 0.95),
        "p50_ms": percentile(took["next"], 0.5),
        "p99_ms": percentile(took["next"], 0.99),
        "p95_vote_ms": percentile(took["vote"], 0.95),
        "p95_open_ms": percentile(took["open"], 0.95),
        **found,
        **modelled(),
        "votes": len(log.intents),
        "votes_per_sec": len(log.intents) / size.seconds,
        "next_calls": len(took["next"]),
        "failed_calls": sum(not good for *_, good in calm),
        "calls_during_kills": len(log.calls) - len(calm),
        "failed_during_kills": sum(not good for *_, good in log.calls) - sum(not good for *_, good in calm),
        "scale": size.scale,
    }


def measure(size: Size, folder: Path) -> Figures:
    """Let everybody review, and compare the ledger with what they noted."""
    with postgres(folder) as server:
        url = ledger(server)
        loaded = fill(url, people=size.people, clips=size.clips, gold=size.gold)
        with Service(store=str(folder / "store"), ledger=url, workers=size.workers) as service:
            log = asyncio.run(reviewing(service, server, size))
            found = figures(log, compare(url, log), size)
    print(
        f"{size.people} reviewers, {size.clips:,} pending clips, {size.seconds:.0f} s, queue copied in {loaded:.1f} s"
    )
    print(listing(found))
    return found


BENCH = Bench(
    name="review", doc=__doc__, measure=measure, full=Size(), quick=Size(clips=100_000, seconds=21.0),
    tiny=Size(people=10, clips=2_000, seconds=4.5, gold=20, think_sec=0.2, workers=1),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
