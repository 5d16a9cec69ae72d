"""An adversary with a reviewer's account wants to know which clips are gold, and does no better than chance."""

import random
import uuid
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from slac_tasks.storage.ledger import Ledger
from slac_tasks.verification.settings import Review

CATEGORY = "judo"
ASKED = {"annotator": "eve", "category": CATEGORY}
CHANCE_AUC = 0.19
"""How far from .5 an area over a thousand clips, of which fifty are gold, lies by chance in one of 100,000 tests."""


def fill(ledger: Ledger, clips: int, gold: int) -> set[str]:
    """Make a queue; return its gold clips."""
    names = [f"{number:016x}:0" for number in range(clips)]
    golden = set(random.sample(names, gold))
    with ledger._connection.cursor() as cursor:
        cursor.execute("INSERT INTO categories (category, name) VALUES ('judo', 'Judo')")
        cursor.execute("INSERT INTO videos VALUES ('v', 'v', 'v', 'training', '{}')")
        cursor.execute(
            "INSERT INTO queue (clip_id, category, video_id, round, strategy, start_sec, end_sec, split, proxy_256,"
            " votes_wanted) SELECT name, 'judo', 'v', 'r', 'random', 0, 2, 'training', 'p', 2 FROM unnest(%s) AS name",
            (names,),
        )
        cursor.execute(
            "INSERT INTO known_answers (clip_id, category, answer, purpose, person)"
            " SELECT name, 'judo', 'yes', 'gold', 'mara' FROM unnest(%s) AS name",
            (sorted(golden),),
        )
        # Others have settled some, gold among them.
        cursor.execute("UPDATE queue SET state = 'finished' WHERE clip_id = ANY (%s)", (sorted(golden)[::4],))
        cursor.execute("ANALYZE")
    for person in ("eve", "bob"):
        ledger.run("ensure_annotator", annotator=person)
    for clip in hand_out(ledger, clips // 5, annotator="bob"):
        vote(ledger, clip, annotator="bob")
    return golden


def hand_out(ledger: Ledger, most: int, annotator: str = "eve", share: float | None = None) -> list[str]:
    """Hand clips out as the service does."""
    share = Review().gold_share if share is None else share
    asked = {"annotator": annotator, "category": CATEGORY, "lease_sec": 3600.0}
    found = ledger.rows("lease_again", **asked, clips_most=most, in_sets=False)
    if wanted := most - len(found):
        gold = sum(random.random() < share for _ in range(wanted))
        found += ledger.rows("lease_clips", **asked, clips_most=wanted, gold_most=gold, place=random.random())
    return [row["clip_id"] for row in found]


def vote(ledger: Ledger, clip: str, annotator: str = "eve", **changes: Any) -> str:
    """Answer a clip; return the vote's id."""
    values = {"vote_id": str(uuid.uuid4()), "answer": "yes", "supersedes": None, "set_id": None} | changes
    stored = ledger.rows(
        "cast_vote", clip_id=clip, category=CATEGORY, annotator=annotator, seconds=1.0, guideline_version=1, **values
    )
    assert stored
    return str(values["vote_id"])


def look(ledger: Ledger) -> dict[str, float]:
    """Return every number that the pages give of a category."""
    (mine,) = ledger.rows("web_categories", annotator="eve")
    found = {
        **(ledger.one("web_category", **ASKED, count_most=100_000) or {}),
        **(ledger.one("web_pace", annotator="eve") or {}),
        **mine,
        "examples": len(ledger.rows("web_examples", category=CATEGORY, examples_most=3)),
    }
    return {name: float(value) for name, value in found.items() if isinstance(value, bool | int | float)}


def moved(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """Return by how much numbers moved; the median of her own times is hers, gold or not."""
    return {name: after[name] - value for name, value in before.items() if after[name] != value and name != "pace_sec"}


def analyze(ledger: Ledger) -> None:
    """Do what the server does by itself when a table has grown."""
    with ledger._connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def lapse(ledger: Ledger) -> None:
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE leases SET expires_at = now() - interval '1 s'")
    ledger.run("expire_leases")


def test_over_a_thousand_clips_nothing_that_moves_or_stands_somewhere_shows_gold(ledger: Ledger) -> None:
    gold = fill(ledger, 1400, 120)
    signs: dict[str, list[float]] = {}
    while len(signs) < 1000:
        if random.random() < 0.1:
            analyze(ledger)
        most = random.choice([1, 12, 24])
        # A few hands only: a look at every number counts the queue.
        now = look(ledger) if random.random() < 1 / 12 else None
        hand = hand_out(ledger, most)
        assert now in (None, look(ledger) if now else None), "a clip that is handed out moves no number"
        held = [row["clip_id"] for row in ledger.rows("held_clips", **ASKED, lease_sec=3600.0)]
        assert set(held) == set(hand)
        again = hand
        if random.random() < 0.2:
            lapse(ledger)
            assert now in (None, look(ledger) if now else None), "nor does one that is swept"
            again = hand_out(ledger, len(hand))
            assert set(again) == set(hand), "all of it comes back"
        for place, clip in enumerate(hand):
            first = vote(ledger, clip, answer=random.choice(["yes", "no"]))
            after = look(ledger) if now else None
            if now and after:
                assert moved(now, after) == {"answered": 1, "remaining": -1, "today": 1}
            if now:
                vote(ledger, clip, answer="unsure", supersedes=first)
                assert after == look(ledger), "a correction moves no number"
            now = after
            signs[clip] = [len(signs), most, len(hand), place, held.index(clip), again.index(clip)]
    truth = np.array([clip in gold for clip in signs])
    assert 15 < truth.sum() < 120
    table = np.array(list(signs.values()))
    for column in table.T:
        assert abs(roc_auc_score(truth, column) - 0.5) < CHANCE_AUC
    half = np.arange(len(table)) % 2 == 0
    trees = GradientBoostingClassifier(n_estimators=50, random_state=0).fit(table[half], truth[half])
    assert roc_auc_score(truth[~half], trees.predict_proba(table[~half])[:, 1]) < 0.5 + 2**0.5 * CHANCE_AUC


def test_at_the_end_of_a_queue_gold_does_not_stay_behind_in_a_number(ledger: Ledger) -> None:
    gold = fill(ledger, 120, 20)
    seen: list[str] = []
    while hand := hand_out(ledger, 7):
        assert not set(hand) <= gold or len(hand) == 1, "gold alone would be known for gold"
        seen += hand
        for clip in hand:
            vote(ledger, clip)
    numbers = look(ledger)
    assert gold - set(seen), "some gold was never handed out"
    assert (numbers["remaining"], numbers["is_open"], numbers["answered"]) == (0, 0, len(seen))


def test_few_clips_that_are_left_bring_no_more_gold_with_them_than_many(ledger: Ledger) -> None:
    gold = fill(ledger, 41, 40)
    came = 0
    for _ in range(150):
        with ledger._connection.cursor() as cursor:
            cursor.execute("BEGIN")
        hand = hand_out(ledger, 12, share=0.05)
        came += len(gold & set(hand))
        with ledger._connection.cursor() as cursor:
            cursor.execute("ROLLBACK")
    # One ordinary clip is left. Twelve draws of one in twenty would bring 90 with 150 of it.
    assert came < 30


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 1.0])
def test_the_share_of_gold_is_what_the_setting_says(ledger: Ledger, share: float) -> None:
    gold = fill(ledger, 1000, 300)
    got = [clip for _ in range(25) for clip in hand_out(ledger, 10, share=share)]
    assert len(got) == len(set(got)) == 250
    assert abs(len(gold & set(got)) / 250 - share) < 0.15
