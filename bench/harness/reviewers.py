"""Simulated people who review as the page does, the queue that they review, and what they noted of it."""

import asyncio
import contextlib
import random
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import psycopg2

from bench.harness.rows import copy
from bench.harness.service import PASSWORD, add_people
from slac_tasks.storage.ledger import Ledger

CATEGORIES = [f"category_{number}" for number in range(10)]
HAND = 12
"""As in static/review.js: clips in hand; the next are asked for when half of them are answered."""


@dataclass(kw_only=True)
class Log:
    """What the clients noted."""

    calls: list[tuple[str, float, float, bool]] = field(default_factory=list)
    """(kind, began, ended, whether it was answered), monotonic seconds."""
    intents: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """vote id -> (person, clip, answer) of every answer given."""
    acknowledged: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    handed: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(person, clip) -> how often it was handed out as new."""
    double: list[tuple[str, str]] = field(default_factory=list)
    """(person, clip) that was handed out although its answer had been acknowledged, or was in hand already."""
    disturbed: list[tuple[float, float]] = field(default_factory=list)
    """Spans of the planned kills."""

    def is_disturbed(self, began: float, ended: float) -> bool:
        """Return whether a request touched a planned kill."""
        return any(began < last and ended > first for first, last in self.disturbed)


def fill(url: str, *, people: int, clips: int, gold: int) -> float:
    """Fill a ledger by COPY; return how many seconds the queue took.

    Args:
        url: the ledger's address.
        people: reviewers, each of one category.
        clips: in the queue, over all categories.
        gold: clips of each category whose answer is known.

    """
    made = Ledger(url)
    made.run_many("register_category", [{"category": name, "name": name, "guideline": None} for name in CATEGORIES])
    made.run_many("assign_category", [{"category": name, "reviewers": f"group_{name}"} for name in CATEGORIES])
    add_people(made, {_name(number): [f"group_{_category(number)}"] for number in range(people)})
    made.close()
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        copy(
            cursor,
            "videos (video_id, media_sha256, group_id, split, frame_hashes)",
            (f"{video:016x}\t{video:064x}\t{video:016x}\ttraining\t{{}}\n" for video in range(clips // 10)),
        )
        began = time.monotonic()
        copy(
            cursor,
            "queue (clip_id, category, video_id, round, strategy, start_sec, end_sec, split, proxy_256, votes_wanted)",
            (
                f"{clip // 10:016x}:{clip % 10 * 2000}\t{_category(clip)}\t{clip // 10:016x}\t2026-01-05.p1\t"
                f"random\t{clip % 10 * 2}\t{clip % 10 * 2 + 2}\ttraining\tmedia/{clip // 10:016x}/256.mp4\t2\n"
                for clip in range(clips)
            ),
        )
        took = time.monotonic() - began
        cursor.execute(
            "INSERT INTO known_answers (clip_id, category, answer, purpose, person)"
            " SELECT clip_id, category, 'yes', 'gold', 'bench' FROM (SELECT clip_id, category, row_number() OVER"
            " (PARTITION BY category ORDER BY clip_id) AS number FROM queue WHERE video_id < %s) q WHERE number <= %s",
            (f"{gold * len(CATEGORIES) // 5:016x}", gold),
        )
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
    connection.close()
    return took


def _name(number: int) -> str:
    return f"person-{number}"


def _category(number: int) -> str:
    return CATEGORIES[number % len(CATEGORIES)]


async def healthy(http: aiohttp.ClientSession, url: str) -> None:
    """Wait until every process of the service reaches the ledger."""
    deadline = time.monotonic() + 60
    good = 0
    while good < 8:
        if time.monotonic() > deadline:
            raise RuntimeError("`slac web` does not answer after a minute")
        try:
            async with http.get(f"{url}/api/me") as answer:
                good = good + 1 if answer.status == 200 else 0
        except aiohttp.ClientError:
            good = 0
        if not good:
            await asyncio.sleep(0.2)


class Reviewer:
    """One simulated person with the manners of the page."""

    def __init__(self, number: int, url: str, log: Log, http: aiohttp.ClientSession, think_sec: float) -> None:
        self.name, self.category = _name(number), _category(number)
        self.url, self.log, self.http, self.think_sec = url, log, http, think_sec
        self.queue: list[str] = []
        self.answered: set[str] = set()
        self.pending: list[dict[str, Any]] = []
        self.is_resumed = False
        self.chance = random.Random(number)

    async def login(self) -> None:
        """Log in with name and password."""
        form = {"name": self.name, "password": PASSWORD}
        # Everybody at the same moment, and passwords are checked one after the other.
        patient = aiohttp.ClientTimeout(total=120)
        async with self.http.post(f"{self.url}/login", data=form, allow_redirects=False, timeout=patient) as answer:
            if answer.status != 303:
                raise RuntimeError(f"login of {self.name}: {answer.status}, want 303")

    async def call(self, kind: str, method: str, path: str, **values: Any) -> Any:
        """Make one request; None if the server did not answer as it should."""
        began, found = time.monotonic(), None
        try:
            async with self.http.request(method, f"{self.url}{path}", **values) as answer:
                if answer.status == 200:
                    found = await answer.json()
        except (aiohttp.ClientError, TimeoutError):
            pass
        self.log.calls.append((kind, began, time.monotonic(), found is not None))
        return found

    async def refill(self) -> None:
        """Ask for more clips when half of what was in hand is answered."""
        if len(self.queue) > HAND / 2:
            return
        before = set(self.queue) | self.answered
        resumes = not self.is_resumed
        query = {"category": self.category, "most": str(HAND - len(self.queue))} | ({"held": "true"} if resumes else {})
        clips = await self.call("next", "GET", "/api/clips", params=query)
        self.is_resumed = clips is not None
        for clip in clips or ():
            name = clip["clip_id"]
            # What is in hand comes again when the page asks for it; what was answered and acknowledged never does.
            if name in before and (not resumes or self._is_acknowledged(name)):
                self.log.double.append((self.name, name))
            if name not in before:
                self.queue.append(name)
                self.log.handed[self.name, name] += 1

    def _is_acknowledged(self, clip: str) -> bool:
        return clip in self.answered and clip not in {vote["clip_id"] for vote in self.pending}

    async def send(self) -> None:
        """Send what waits; what is not taken waits on."""
        while self.pending:
            sent = self.pending[:50]
            headers = {"X-Requested-With": "slac"}
            found = await self.call("vote", "POST", "/api/votes", json={"votes": sent}, headers=headers)
            if found is None:
                return
            for vote in sent:
                stored = found["stored"][vote["vote_id"]]
                (self.log.acknowledged if stored else self.log.refused).add(vote["vote_id"])
            self.pending = self.pending[len(sent) :]

    async def review(self, until: float) -> None:
        """Open the page, and answer clips until the time is over."""
        await asyncio.sleep(self.chance.uniform(0, self.think_sec))
        await self.call("open", "GET", "/api/me")
        await self.call("open", "GET", "/api/category", params={"category": self.category})
        while time.monotonic() < until:
            await self.refill()
            if not self.queue:
                await asyncio.sleep(1)
                continue
            await asyncio.sleep(self.chance.uniform(0.5, 1.5) * self.think_sec)
            clip = self.queue.pop(0)
            vote: dict[str, Any] = {
                "vote_id": str(uuid.UUID(int=self.chance.getrandbits(128), version=4)),
                "clip_id": clip,
                "category": self.category,
                "answer": self.chance.choice(["yes", "no"]),
                "seconds": self.think_sec,
                "guideline_version": 1,
                "supersedes": None,
            }
            self.log.intents[vote["vote_id"]] = (self.name, clip, vote["answer"])
            self.answered.add(clip)
            self.pending.append(vote)
            await self.send()


@contextlib.asynccontextmanager
async def crowd(url: str, log: Log, people: int, think_sec: float) -> AsyncIterator[list[Reviewer]]:
    """Log so many people in, each with cookies of her own."""
    timeout = aiohttp.ClientTimeout(total=15)
    async with contextlib.AsyncExitStack() as stack:
        connector = aiohttp.TCPConnector(limit=0)
        stack.push_async_callback(connector.close)
        found = []
        for number in range(people):
            jar = aiohttp.CookieJar(unsafe=True)  # the address is an IP
            http = aiohttp.ClientSession(connector=connector, connector_owner=False, cookie_jar=jar, timeout=timeout)
            found.append(Reviewer(number, url, log, await stack.enter_async_context(http), think_sec))
        await asyncio.gather(*(person.login() for person in found))
        await healthy(found[0].http, url)
        yield found


async def send_all(people: list[Reviewer]) -> None:
    """Send what the pages still hold, now that there is a server again."""
    for _ in range(30):
        await asyncio.gather(*(person.send() for person in people))
        if not any(person.pending for person in people):
            break
        await asyncio.sleep(1)


def compare(url: str, log: Log) -> dict[str, int]:
    """Compare the ledger with what the clients noted."""
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT vote_id::text, annotator, clip_id, answer FROM votes")
        stored = {vote: (person, clip, answer) for vote, person, clip, answer in cursor.fetchall()}
        cursor.execute(
            "SELECT (SELECT count(*) FROM votes) - (SELECT count(DISTINCT (annotator, clip_id, category)) FROM votes)"
        )
        ((doubled,),) = cursor.fetchall()
        cursor.execute("SELECT count(*) FROM votes v FULL JOIN outbox o USING (vote_id) WHERE v IS NULL OR o IS NULL")
        ((unboxed,),) = cursor.fetchall()
        cursor.execute(
            "SELECT count(*) FROM queue q WHERE taken <> (SELECT count(*) FROM votes v WHERE (v.clip_id, v.category)"
            " = (q.clip_id, q.category) AND supersedes IS NULL) + (SELECT count(*) FROM leases l WHERE"
            " (l.clip_id, l.category) = (q.clip_id, q.category)) AND (taken > 0 OR EXISTS (SELECT FROM votes v"
            " WHERE (v.clip_id, v.category) = (q.clip_id, q.category)))"
        )
        ((miscounted,),) = cursor.fetchall()
    connection.close()
    return {
        "lost_votes": sum(stored.get(vote) != intent for vote, intent in log.intents.items()) + unboxed,
        "doubled_votes": doubled + sum(vote not in log.intents for vote in stored),
        "double_handouts": len(log.double) + sum(times > 1 for times in log.handed.values()),
        "refused_votes": len(log.refused),
        "miscounted_clips": miscounted,
    }
