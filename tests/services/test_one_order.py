"""Whoever takes several clips takes them in one order, and a person before any clip: nobody waits in a circle."""

import threading
import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from queued_clips import CATEGORY, cast, fill, lease, people
from waiting import until_blocked

from slac_tasks.model import Answer
from slac_tasks.storage.ledger import Ledger
from slac_tasks.verification import imports
from slac_tasks.verification.answers import GivenAnswer, vote_id

SET = str(uuid.uuid4())
CLIPS = 4


def backwards(ledger: Ledger, statement: str, names: list[str]) -> None:
    """Change clips one after another from the last one on: a statement that says no order meets them like this."""
    with ledger._connection.cursor() as cursor:
        for name in reversed(names):
            cursor.execute(statement, {"clip": name, "category": CATEGORY})


def settle(ledger: Ledger, names: list[str]) -> int:
    names = names[::-1]
    none, some = [False] * len(names), [CATEGORY] * len(names)
    return ledger.run(
        "settle_clips", clip_ids=names, categories=some, votes_wanted=[3] * len(names), states=["open"] * len(names),
        were_again=none, again=none,
    )  # fmt: skip


def ask_again(ledger: Ledger, names: list[str]) -> int:
    return ledger.run("ask_again", clip_ids=names[::-1], categories=[CATEGORY] * len(names))


def ask_person_again(ledger: Ledger, names: list[str]) -> int:
    return ledger.run("ask_person_again", category=CATEGORY, annotator="bob", day=datetime.now(UTC).date())


def split(ledger: Ledger, names: list[str]) -> int:
    return ledger.run("split_sets", annotator="bob", set_ids=[SET], set_least=2)


def ask_one_more(ledger: Ledger, names: list[str]) -> int:
    return len(ledger.rows("ask_one_more", category=CATEGORY, clips_most=9))


def return_all(ledger: Ledger, names: list[str]) -> int:
    return ledger.run("return_clips", annotator="bob")


def withdraw(ledger: Ledger, names: list[str]) -> int:
    return ledger.run("withdraw_unasked", category=CATEGORY, round="r.2")


def import_votes(ledger: Ledger, names: list[str], people: tuple[str, ...] = ("carl",)) -> int:
    """Import one answer to each clip, from the last one on, by the people in turns."""
    given = [
        GivenAnswer(
            item=name, vote_id=vote_id("f", name, datetime(2026, 1, 5, tzinfo=UTC)), clip_id=name, category=CATEGORY,
            annotator=people[place % len(people)], answer=Answer.YES, seconds=1.0,
            cast_at=datetime(2026, 1, 5, tzinfo=UTC),
        )
        for place, name in enumerate(names)
    ]  # fmt: skip
    return imports.import_answers(ledger, "f", given[::-1]).stored


CALLS: dict[str, tuple[Callable[[Ledger, list[str]], int], str, int]] = {
    "settle": (settle, "UPDATE queue SET state = 'finished' WHERE clip_id = %(clip)s", CLIPS),
    "ask again": (ask_again, "UPDATE queue SET state = 'finished', votes_wanted = 1 WHERE clip_id = %(clip)s", CLIPS),
    "ask a person again": (ask_person_again, "UPDATE queue SET state = 'finished' WHERE clip_id = %(clip)s", CLIPS),
    "split a set": (split, "UPDATE queue SET alike = 'a' WHERE clip_id = %(clip)s", CLIPS),
    "ask one more": (ask_one_more, "UPDATE queue SET state = 'finished' WHERE clip_id = %(clip)s", CLIPS),
    "return clips": (
        return_all,
        "INSERT INTO leases VALUES (%(clip)s, %(category)s, 'bob', now() + interval '1 min');"
        "UPDATE queue SET taken = taken + 1 WHERE clip_id = %(clip)s",
        CLIPS,
    ),
    "import": (import_votes, "UPDATE queue SET taken = taken WHERE clip_id = %(clip)s", CLIPS),
    # Those that were answered meanwhile stay.
    "withdraw": (withdraw, "UPDATE queue SET round = 'r.1', queued_at = '2026-01-01' WHERE clip_id = %(clip)s", 1),
}
"""Each: what it does, how the clips are before, and how many of them it changes."""


def meet(ledger: Ledger, ledger_url: str, call: Callable[[Ledger], Any], answers: list[Callable[[], Any]]) -> Any:
    """Give answers in one transaction; the other call begins after the first of them, and waits before the second."""
    found: list[Any] = []
    with closing(Ledger(ledger_url)) as other:
        calling = threading.Thread(target=lambda: found.append(call(other)))
        with ledger.transaction():
            assert answers[0]()
            calling.start()
            until_blocked(ledger, calling)
            for answer in answers[1:]:
                assert answer()
        calling.join()
    (result,) = found
    return result


@pytest.mark.parametrize("name", CALLS)
def test_answers_to_several_clips_and_whoever_changes_several_do_not_wait_in_a_circle(
    ledger: Ledger, ledger_url: str, name: str
) -> None:
    call, before, changed = CALLS[name]
    names = fill(ledger, CLIPS)
    people(ledger, "ann", "bob")
    if name in ("ask a person again", "split a set"):
        for place, clip in enumerate(names):
            assert cast(ledger, "bob", clip, ("yes", "no")[place % 2], set_id=SET)
    backwards(ledger, before, names)
    if name == "withdraw":
        with ledger._connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO queue (clip_id, category, video_id, round, strategy, start_sec, end_sec, split, proxy_256,"
                " votes_wanted) VALUES ('new:0', %(c)s, %(c)s, 'r.2', 'random', 0, 2, 'training', 'p', 2)",
                {"c": CATEGORY},
            )
    answers = [lambda clip=clip: cast(ledger, "ann", clip) for clip in names[: CLIPS - 1]]
    assert meet(ledger, ledger_url, lambda other: call(other, names), answers) == changed


def flag(ledger: Ledger, person: str, clip: str) -> bool:
    about = {"clip_id": clip, "category": CATEGORY, "comment": "odd"}
    return bool(ledger.rows("add_flag", flag_id=str(uuid.uuid4()), annotator=person, **about))


def while_bob_is_forgotten(ledger: Ledger, ledger_url: str, call: Callable[[Ledger], Any]) -> Any:
    """Forget a person, and take back what is in the person's hands after the other call has begun to wait."""
    found: list[Any] = []
    with closing(Ledger(ledger_url)) as other:
        calling = threading.Thread(target=lambda: found.append(call(other)))
        with ledger.transaction():
            ledger.run("add_pseudonym", name="bob", pseudonym="forgotten-0")
            calling.start()
            until_blocked(ledger, calling)
            ledger.run("return_clips", annotator="bob")
            ledger.run("delete_annotator", annotator="bob")
        calling.join()
    (result,) = found
    return result


@pytest.mark.parametrize("said", [cast, flag])
def test_an_answer_or_a_flag_of_somebody_who_is_being_forgotten_does_not_wait_in_a_circle(
    ledger: Ledger, ledger_url: str, said: Callable[[Ledger, str, str], bool]
) -> None:
    names = fill(ledger, 2)
    people(ledger, "bob")
    assert lease(ledger, "bob", 2)
    assert while_bob_is_forgotten(ledger, ledger_url, lambda other: said(other, "bob", names[0])) is False


def test_answers_from_elsewhere_wait_for_whoever_is_being_forgotten_with_no_clip_in_hand(
    ledger: Ledger, ledger_url: str
) -> None:
    names = fill(ledger, 2)
    people(ledger, "ann", "bob")
    assert lease(ledger, "bob", 2)
    assert while_bob_is_forgotten(ledger, ledger_url, lambda other: import_votes(other, names, ("ann", "bob"))) == 1
