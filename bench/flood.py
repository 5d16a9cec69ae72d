"""Strangers at the review service while people review: `python -m bench.flood [--quick]`.

A real `slac web` on an embedded Postgres with fsync on, and simulated reviewers who speak HTTP as the page does. Beside
them come strangers without an account, one kind after the other, each for a minute: loops that log in with wrong
passwords, clients that send bodies of 400 MB (with a length, or in chunks), and clients that send a byte of their
headers every two seconds and come back when they are cut. They run in a process of their own on the same machine.
`p95_ms` is that of /api/clips in the worst of the three floods, and `p95_calm_ms` the same before them; `peak_mib` is
the most that a process of the service held. At the end the ledger is compared with what the reviewers noted. The last
line is one JSON object.

Full scale (scale 1.0): 50 reviewers; 200 login loops, 50 bodies, 1,500 slow clients, 60 seconds each.
"""

import asyncio
import contextlib
import multiprocessing
import resource
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

import aiohttp

from bench.harness import Bench, Figures
from bench.harness.costs import peak_bytes_of
from bench.harness.places import ledger, postgres
from bench.harness.reviewers import Log, Reviewer, compare, crowd, fill, send_all
from bench.harness.service import Service, percentile
from bench.harness.tables import Cell, listing, table

BODY_BYTES = 400_000_000
DRIP_SEC = 2.0
HEALTH_SEC = 5.0
"""How soon /health must answer."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much of it there is."""

    people: Annotated[int, "simulated reviewers"] = 50
    clips: Annotated[int, "clips in the queue"] = 100_000
    seconds: Annotated[float, "how long each flood lasts"] = 60.0
    logins: Annotated[int, "loops that log in"] = 200
    bodies: Annotated[int, "clients that send huge bodies"] = 50
    slow: Annotated[int, "clients that never end their request"] = 1500
    think_sec: Annotated[float, "how long a person looks at a clip, on average"] = 3.0

    @property
    def scale(self) -> float:
        """Share of the full scale."""
        full = Size()
        return min(
            self.people / full.people,
            self.seconds / full.seconds,
            self.logins / full.logins,
            self.bodies / full.bodies,
            self.slow / full.slow,
        )


# The strangers ------------------------------------------------------------------------------------------------------

Seen = Counter[str]
"""What strangers were answered, and how often."""
Stranger = Callable[[str, float, int, Seen], Coroutine[Any, Any, None]]
"""One stranger: the service's address, until when, a number, and where it counts what it was answered."""


async def log_in(url: str, until: float, number: int, seen: Seen) -> None:
    """Try wrong passwords, one after the other."""
    form = urlencode({"name": f"person-{number % 60}", "password": "a wrong password"})
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http:
        while time.time() < until:
            try:
                async with http.post(f"{url}/login", data=form, headers=kind, allow_redirects=False) as answer:
                    seen[str(answer.status)] += 1
                    await answer.read()
            except (aiohttp.ClientError, TimeoutError):
                seen["cut"] += 1
                await asyncio.sleep(0.1)


async def send_body(url: str, until: float, number: int, seen: Seen) -> None:
    """Send a huge body without a cookie, and another one when it is refused."""
    length = "Transfer-Encoding: chunked" if number % 2 else f"Content-Length: {BODY_BYTES}"
    head = f"POST /api/votes HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
    part = b"[" * 65_536
    part = b"10000\r\n" + part + b"\r\n" if number % 2 else part
    while time.time() < until:
        try:
            async with connected(url) as (reader, writer):
                writer.write(head.encode())
                sent, answer = 0, asyncio.create_task(reader.readline())
                with contextlib.suppress(OSError):
                    while sent < BODY_BYTES and time.time() < until:
                        writer.write(part)
                        await writer.drain()
                        sent += len(part)
                said = await asyncio.wait_for(answer, 5)
                seen[said.decode().partition(" ")[2][:3] or "cut"] += 1
        except (OSError, TimeoutError):
            seen["cut"] += 1
            await asyncio.sleep(0.1)


async def drip(url: str, until: float, number: int, seen: Seen) -> None:
    """Send headers byte by byte, and begin again when the connection is cut."""
    while time.time() < until:
        try:
            async with connected(url) as (reader, writer):
                writer.write(b"GET / HTTP/1.1\r\nX: ")
                while time.time() < until and not reader.at_eof():
                    writer.write(b"x")
                    await writer.drain()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(reader.read(1000), DRIP_SEC)
            seen["ended"] += 1
        except OSError:
            seen["cut"] += 1
            await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect to the service for the block."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        yield reader, writer
    finally:
        writer.close()


CALM = "calm"
"""No strangers: what the same people wait for without them."""
FLOODS: Mapping[str, Stranger] = {"logins": log_in, "bodies": send_body, "slow": drip}


def flood(kind: str, count: int, url: str, until: float, told: Any) -> None:
    """Be so many strangers until a moment: the work of a process of its own, which sends what they were answered."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    seen: Seen = Counter()

    async def all_of_them() -> None:
        await asyncio.gather(*(FLOODS[kind](url, until, number, seen) for number in range(count)))

    asyncio.run(all_of_them())
    told.send(dict(seen))


# The bench ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Weather:
    """What one flood was like for the reviewers."""

    p95_ms: float | None
    failed_calls: int
    health_failed: int
    peak_mib: float
    seen: Mapping[str, int]


async def probe(http: aiohttp.ClientSession, url: str, until: float) -> int:
    """Ask for /health every second; return how often it did not answer in time."""
    failed = 0
    while time.monotonic() < until:
        try:
            async with http.get(f"{url}/health", timeout=aiohttp.ClientTimeout(total=HEALTH_SEC)) as answer:
                failed += answer.status != 200
        except (aiohttp.ClientError, TimeoutError):
            failed += 1
        await asyncio.sleep(1)
    return failed


async def weather(kind: str, service: Service, people: list[Reviewer], log: Log, size: Size) -> Weather:
    """Let everybody review while strangers flood the service."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe(duplex=False)
    strangers = spawn.Process(
        target=flood, args=(kind, getattr(size, kind), service.url, time.time() + size.seconds + 2.0, theirs)
    )
    strangers.start()
    await asyncio.sleep(2.0)  # until they have begun
    found = await reviewed(service, people, log, size)
    seen = await asyncio.to_thread(ours.recv)
    strangers.join()
    return replace(found, seen=seen)


async def reviewed(service: Service, people: list[Reviewer], log: Log, size: Size) -> Weather:
    """Let everybody review for as long as a flood lasts."""
    first, until = len(log.calls), time.monotonic() + size.seconds
    probing = asyncio.create_task(probe(people[0].http, service.url, until))
    await asyncio.gather(*(person.review(until) for person in people))
    health_failed = await probing
    calls = log.calls[first:]
    return Weather(
        p95_ms=percentile([1000 * (end - begin) for what, begin, end, _ in calls if what == "next"], 0.95),
        failed_calls=sum(not good for *_, good in calls),
        health_failed=health_failed,
        peak_mib=max(map(peak_bytes_of, service.workers())) / 2**20,
        seen={},
    )


async def reviewing(service: Service, size: Size) -> tuple[Log, dict[str, Weather]]:
    """Let everybody review, first alone and then through the three floods."""
    log = Log()
    async with crowd(service.url, log, size.people, size.think_sec) as people:
        found = {CALM: await reviewed(service, people, log, size)}
        for kind in FLOODS:
            found[kind] = await weather(kind, service, people, log, size)
        await send_all(people)
    return log, found


def measure(size: Size, folder: Path) -> Figures:
    """Review through the floods, and compare the ledger with what the reviewers noted."""
    with postgres(folder) as server:
        url = ledger(server)
        fill(url, people=size.people, clips=size.clips, gold=50)
        with Service(store=str(folder / "store"), ledger=url, workers=2) as service:
            log, found = asyncio.run(reviewing(service, size))
        compared = compare(url, log)
    rows: list[tuple[Cell, ...]] = [
        (kind, each.p95_ms, each.failed_calls, each.health_failed, each.peak_mib,
         ", ".join(f"{count:,} {what}" for what, count in sorted(each.seen.items())))
        for kind, each in found.items()
    ]  # fmt: skip
    heads = {"flood": "", "p95 ms": ".0f", "failed": "", "no health": "", "peak MiB": ".0f", "answers": ""}
    print(table(heads, rows))
    waits = [found[kind].p95_ms or 0.0 for kind in FLOODS]
    figures: Figures = {
        "p95_ms": max(waits),
        **{f"p95_{kind}_ms": each.p95_ms for kind, each in found.items()},
        "lost_votes": compared["lost_votes"],
        "doubled_votes": compared["doubled_votes"],
        "refused_votes": compared["refused_votes"],
        "peak_mib": max(each.peak_mib for each in found.values()),
        "failed_calls": sum(each.failed_calls for each in found.values()),
        "health_failed": sum(each.health_failed for each in found.values()),
        "votes": len(log.intents),
        "scale": size.scale,
    }
    print(listing(figures))
    return figures


BENCH = Bench(
    name="flood", doc=__doc__, measure=measure, full=Size(), quick=Size(clips=20_000, seconds=5.0),
    tiny=Size(people=5, clips=2_000, seconds=1.5, logins=5, bodies=3, slow=20, think_sec=0.2),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
