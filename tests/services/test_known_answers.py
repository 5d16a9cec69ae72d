"""Clips whose answer a lead knows: gold is mixed in, an example is shown, and neither holds up a round."""

from queued_clips import CATEGORY, cast, fill, known, lease, people, queue, settle

from slac_tasks.storage.ledger import Ledger


def test_gold_is_mixed_in_once_for_each_and_never_as_an_ordinary_clip(ledger: Ledger) -> None:
    names = fill(ledger, 30)
    people(ledger, "ann", "bob")
    for name in names[:3]:
        known(ledger, name, "gold")
    got = lease(ledger, "ann", 6, gold=2)
    assert len(got) == 6
    assert len(set(got) & set(names[:3])) == 2
    rest = lease(ledger, "ann", 30)
    assert not set(rest) & set(names[:3])
    assert set(lease(ledger, "bob", 3, gold=3)) == set(names[:3])
    people(ledger, "cid")
    lease(ledger, "bob", 30)
    assert lease(ledger, "cid", 6, gold=6) == [], "gold alone would be known for gold"


def test_an_example_is_shown_and_not_asked(ledger: Ledger) -> None:
    names = fill(ledger, 5)
    people(ledger, "ann", "bob")
    known(ledger, names[0], "example", "no")
    for person in ("ann", "bob"):
        cast(ledger, person, names[1], "yes")
        cast(ledger, person, names[2], "yes" if person == "ann" else "no")
    for name in names[1:3]:
        settle(ledger, name, 2, "finished")
    shown = ledger.rows("web_examples", category=CATEGORY, examples_most=3)
    assert [(row["clip_id"], row["answer"]) for row in shown] == [(names[1], "yes"), (names[0], "no")]
    assert sorted(lease(ledger, "ann", 9)) == names[3:]
    assert not cast(ledger, "ann", names[0], "no"), "nor is an answer to it taken"


def test_a_newer_round_withdraws_no_gold_and_asks_no_example(ledger: Ledger) -> None:
    fill(ledger, 1)
    gold, example, left = (f"{CATEGORY}:{start}" for start in (2000, 4000, 6000))
    people(ledger, "ann")
    queue(ledger, "2026-01-05.p1", gold, example, left)
    known(ledger, gold, "gold")
    known(ledger, example, "example")
    queue(ledger, "2026-01-05.p2", example, f"{CATEGORY}:8000")
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT clip_id, state FROM queue WHERE clip_id = ANY (%s)", ([gold, example, left],))
        assert dict(cursor.fetchall()) == {gold: "open", example: "withdrawn", left: "withdrawn"}
    assert gold in lease(ledger, "ann", 3, gold=1)


def test_a_clip_is_asked_as_what_it_was_made_last_whatever_it_was_before(ledger: Ledger) -> None:
    fill(ledger, 1)
    left, example, dropped = (f"{CATEGORY}:{start}" for start in (2000, 4000, 6000))
    people(ledger, "ann")
    queue(ledger, "2026-01-05.p1", left, example, dropped)
    for name in (example, dropped):
        known(ledger, name, "example")
    queue(ledger, "2026-01-05.p2", f"{CATEGORY}:8000")
    for name in (left, example):
        known(ledger, name, "gold")
    assert ledger.run("drop_known_answer", clip_id=dropped, category=CATEGORY) == 1
    assert ledger.run("drop_known_answer", clip_id=dropped, category=CATEGORY) == 0
    got = lease(ledger, "ann", 3, gold=2)
    assert {left, example} <= set(got), "gold is mixed in"
    # The third of them is drawn by lot, and what she holds is not handed out again.
    assert dropped in [*got, *lease(ledger, "ann", 9)], "what is neither gold nor an example is asked"


def test_a_clip_whose_answer_is_known_holds_up_no_round(ledger: Ledger) -> None:
    names = fill(ledger, 3)
    people(ledger, "ann", "bob")
    known(ledger, names[0], "gold")
    for person in ("ann", "bob"):
        for name in names[1:]:
            assert cast(ledger, person, name)
    for name in names[1:]:
        settle(ledger, name, 2, "finished")
    assert lease(ledger, "ann", 3, gold=3) == [], "gold alone would be known for gold"
    assert ledger.rows("open_rounds") == []
    assert ledger.rows("open_by_category") == []
