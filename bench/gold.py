"""An adversary who wants to know which clips are gold: `python -m bench.gold [--quick]`.

A reviewer's account on a real `slac web`, and everything that its API gives: in which place of which answer a clip
came, how long each answer took and how long it is, every number of /api/me and /api/category before and after a clip
is handed out, answered and corrected to unsure, where a clip stands in the list of those in hand, and what comes back
when answers stay out. Other people have answered a part of the queue, and half of the categories are reviewed to their
end. Nobody waits for a lease to run out: its end is moved in the ledger.

For each seed one adversary reviews a category. Boosted trees learn from all seeds but one what gold looks like, and
judge that one: `auc` is the mean of their areas under the curve, with its 95 % interval. An area of .5 is chance.
`auc_control` is the same with a planted sign, a number that moves with each fifth gold clip: it says what the bench
would see. The last line is one JSON object.

Full scale (scale 1.0): 20 seeds of 1,000 clips.
"""

import http.client
import json
import random
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

import numpy as np
import psycopg2
from scipy.special import stdtrit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from bench.harness import Bench, Figures
from bench.harness.adversary import Adversary, Reply, Signs
from bench.harness.places import ledger, postgres
from bench.harness.rows import copy
from bench.harness.service import PASSWORD, Service, add_people
from bench.harness.tables import listing, table
from slac_tasks.progress import track
from slac_tasks.storage.ledger import Ledger

GOLD_OF_POOL = 0.08
"""Share of a category's clips that are gold; the service hands out fewer."""
BEGUN = 0.3
"""Share of the clips that others have answered once before the adversary comes."""
UNSEEN = -1e6
"""A sign that was not noted of a clip."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is tried."""

    seeds: Annotated[int, "categories, each reviewed by one adversary"] = 20
    clips: Annotated[int, "clips that an adversary reviews"] = 1000

    @property
    def scale(self) -> float:
        """Share of the full scale."""
        full = Size()
        return self.seeds / full.seeds * self.clips / full.clips


# The queue ----------------------------------------------------------------------------------------------------------


def name_of(seed: int) -> str:
    """Return the category, and the adversary, of a seed."""
    return f"seed_{seed}"


def fill(url: str, size: Size) -> dict[int, set[str]]:
    """Make a queue for every seed, which others have begun; return the gold clips of each."""
    made = Ledger(url)
    names = [name_of(seed) for seed in range(size.seeds)]
    made.run_many("register_category", [{"category": name, "name": name, "guideline": None} for name in names])
    made.run_many("assign_category", [{"category": name, "reviewers": name} for name in names])
    add_people(made, {**{name: [name] for name in names}, "bob": names, "cid": names})
    connection = psycopg2.connect(url)
    gold = {}
    for seed, name in enumerate(names):
        chance = random.Random(seed)
        # Every second one ends before the adversary does.
        count = int(size.clips * (2.0 if seed % 2 else 1.1))
        ids = [f"{chance.getrandbits(64):016x}:{chance.randrange(100) * 500}" for _ in range(count)]
        gold[seed] = set(chance.sample(ids, max(2, int(count * GOLD_OF_POOL))))
        with connection, connection.cursor() as cursor:
            copy(
                cursor,
                "videos (video_id, media_sha256, group_id, split, frame_hashes)",
                (f"{video}\t{video * 4}\t{video}\ttraining\t{{}}\n" for video, _, _ in (i.partition(":") for i in ids)),
            )
            copy(
                cursor,
                "queue (clip_id, category, video_id, round, strategy, start_sec, end_sec, split, proxy_256,"
                " votes_wanted)",
                (
                    f"{clip}\t{name}\t{clip[:16]}\t2026-01-05.p1\trandom\t{int(clip[17:]) / 1000}\t"
                    f"{int(clip[17:]) / 1000 + 2}\ttraining\tmedia/{clip[:16]}/256.mp4\t2\n"
                    for clip in ids
                ),
            )
        made.run_many(
            "add_known_answer",
            [{"clip_id": c, "category": name, "answer": "yes", "purpose": "gold", "person": "b"} for c in gold[seed]],
        )
        begin(made, name, int(count * BEGUN), chance)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connection.close()
    made.close()
    return gold


def begin(made: Ledger, category: str, clips: int, chance: random.Random) -> None:
    """Have two people answer some clips, gold among them; a part of what both answered is settled."""
    for person, share in (("bob", 1.0), ("cid", 0.3)):
        asked = {"annotator": person, "category": category, "lease_sec": 60.0}
        most = int(clips * share)
        rows = made.rows("lease_clips", **asked, clips_most=most, gold_most=most // 10, place=chance.random())
        made.run_many(
            "cast_vote",
            [
                {"vote_id": str(uuid.UUID(int=chance.getrandbits(128), version=4)), "clip_id": row["clip_id"],
                 "category": category, "annotator": person, "answer": "yes", "seconds": 2.0, "guideline_version": 1,
                 "supersedes": None, "set_id": None}
                for row in rows
            ],
        )  # fmt: skip
        settled = [row["clip_id"] for row in rows[: most // 2]] if person == "cid" else []
        made.run(
            "settle_clips", clip_ids=settled, categories=[category] * len(settled), votes_wanted=[2] * len(settled),
            states=["finished"] * len(settled), were_again=[False] * len(settled), again=[False] * len(settled),
        )  # fmt: skip


# The bench ----------------------------------------------------------------------------------------------------------


class Browser:
    """One connection of one person who is logged in."""

    def __init__(self, url: str, name: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        self._headers = {"X-Requested-With": "slac", "Content-Type": "application/json"}
        form = urlencode({"name": name, "password": PASSWORD})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request("POST", "/login", body=form, headers=kind)
        answer = self._connection.getresponse()
        answer.read()
        if answer.status != 303:
            raise RuntimeError(f"login of {name}: {answer.status}, want 303")
        self._headers["Cookie"] = answer.headers["Set-Cookie"].partition(";")[0]

    def __call__(self, method: str, path: str, sent: Any) -> Reply:
        """Make one request.

        Raises:
            RuntimeError: it is refused.

        """
        body = None if sent is None else json.dumps(sent)
        began = time.perf_counter()
        self._connection.request(method, path, body=body, headers=self._headers)
        answer = self._connection.getresponse()
        found = answer.read()
        took = time.perf_counter() - began
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status}, want 200: {found[:200]!r}")
        length = len(found) + sum(len(name) + len(value) for name, value in answer.getheaders())
        return Reply(json=json.loads(found), length=length, seconds=took)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


def lapse(url: str, person: str) -> None:
    """Let a person's leases run out, and have them swept."""
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("UPDATE leases SET expires_at = now() - interval '1 s' WHERE annotator = %s", (person,))
    connection.close()
    swept = Ledger(url)
    swept.run("expire_leases")
    swept.close()


def reviewed(url: str, service: Service, size: Size) -> Iterator[dict[str, Signs]]:
    """Yield what the adversary of each seed noted."""
    for seed in track(range(size.seeds), size.seeds, "adversaries"):
        name = name_of(seed)
        browser = Browser(service.url, name)
        adversary = Adversary(
            call=browser, category=name, chance=random.Random(f"eve {seed}"), let_lapse=partial(lapse, url, name)
        )
        yield adversary.review(size.clips)
        browser.close()


def areas(signs: Sequence[np.ndarray], gold: Sequence[np.ndarray]) -> list[float]:
    """Return for each seed how well trees that learned from all other seeds find its gold, if it has some."""
    found = []
    mixed = [seed for seed, truth in enumerate(gold) if 0 < truth.sum() < len(truth)]
    for seed in mixed if len(mixed) > 1 else ():
        others = [other for other in mixed if other != seed]
        trees = HistGradientBoostingClassifier(max_iter=60, random_state=0)
        with threadpool_limits(1):  # threads that wait for each other on a busy machine
            trees.fit(
                np.concatenate([signs[other] for other in others]), np.concatenate([gold[other] for other in others])
            )
        found.append(float(roc_auc_score(gold[seed], trees.predict_proba(signs[seed])[:, 1])))
    return found


def one_sign(signs: Sequence[np.ndarray], gold: Sequence[np.ndarray], names: Sequence[str]) -> list[tuple[str, float]]:
    """Return the area of each sign alone over all seeds that have gold, the farthest from chance first."""
    every, truth = np.concatenate(signs), np.concatenate(gold)
    if not truth.any():
        return []
    found = [(name, float(roc_auc_score(truth, every[:, at]))) for at, name in enumerate(names)]
    return sorted(found, key=lambda pair: -abs(pair[1] - 0.5))


def planted(gold: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return a sign that each fifth gold clip has and no other clip."""
    return [((np.cumsum(truth) % 5 == 0) & truth).astype(float)[:, None] for truth in gold]


def measure(size: Size, folder: Path) -> Figures:
    """Let the adversaries review, and see what trees find in their notes."""
    with postgres(folder) as server:
        url = ledger(server)
        truth = fill(url, size)
        with Service(store=str(folder / "store"), ledger=url, workers=1) as service:
            noted = list(reviewed(url, service, size))
    names = sorted({name for signs in noted for clip in signs.values() for name in clip})
    signs = [np.array([[clip.get(name, UNSEEN) for name in names] for clip in each.values()]) for each in noted]
    gold = [np.array([clip in truth[seed] for clip in each]) for seed, each in enumerate(noted)]
    found = areas(signs, gold)
    control = areas([np.hstack(pair) for pair in zip(signs, planted(gold), strict=True)], gold)
    low, high = interval(found)
    print(table({"sign alone": "", "auc": ".3f"}, one_sign(signs, gold, names)[:8]))
    figures: Figures = {
        "auc": float(np.mean(found)) if found else None,
        "auc_low": low,
        "auc_high": high,
        "auc_highest_seed": max(found, default=None),
        "auc_control": float(np.mean(control)) if control else None,
        "clips": sum(map(len, gold)),
        "gold": int(sum(truth.sum() for truth in gold)),
        "signs": len(names),
        "scale": size.scale,
    }
    print(listing(figures))
    return figures


def interval(found: Sequence[float]) -> tuple[float, float] | tuple[None, None]:
    """Return the 95 % interval of the mean; of one value nothing is known."""
    if len(found) < 2:
        return None, None
    half = float(stdtrit(len(found) - 1, 0.975)) * float(np.std(found, ddof=1)) / len(found) ** 0.5
    return float(np.mean(found)) - half, float(np.mean(found)) + half


BENCH = Bench(
    name="gold", doc=__doc__, measure=measure, full=Size(), quick=Size(seeds=4, clips=120), tiny=Size(seeds=2, clips=30)
)

if __name__ == "__main__":
    sys.exit(BENCH.main())
