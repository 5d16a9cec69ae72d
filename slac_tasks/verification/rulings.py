"""What leads decide: about a category, about a clip, about a person's answers.

Each function changes what the stages read and writes a row of `rulings`, in one transaction: who ruled, when, what, and
why. The table is append only; what is ruled later counts. Each raises WrongArguments where there is nothing to rule on.
"""

from datetime import date
from functools import partial

from slac_tasks.errors import WrongArguments
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.people import keep_known
from slac_tasks.storage.registered import check_registered


def retire(ledger: Ledger, category: str, *, person: str, reason: str) -> bool:
    """Retire a category: it is not collected, scored, asked, judged or released any more. What was made stays.

    Answers to clips that people have in their hands are still taken.

    Args:
        ledger: of the platform.
        category: key of a registered category.
        person: who decides.
        reason: why.

    Returns: whether it was at work; False: it was retired already, and nothing is written.

    Raises:
        WrongArguments: it is not registered, or the reason is empty.

    """
    return _turn(ledger, "retire_category", "retire", category, person=person, reason=reason)


def restore(ledger: Ledger, category: str, *, person: str, reason: str) -> bool:
    """Take a retired category up again; see `retire`.

    Returns: whether it was retired; False: it is at work, and nothing is written.

    """
    return _turn(ledger, "unretire_category", "restore", category, person=person, reason=reason)


def decide(ledger: Ledger, category: str, *, labels: str, decision: str, person: str, reason: str) -> list[str]:
    """Approve or reject the labels of a category that the gate did not accept.

    Args:
        ledger: of the platform.
        category: key of a judged category.
        labels: version of the labels.
        decision: `approve` or `reject`.
        person: who decides.
        reason: why.

    Returns: the names of the measures for which it was refused, which the decision covers.

    Raises:
        WrongArguments: the labels were not judged, or were accepted; or the reason is empty.

    """
    verdict = ledger.one("verdict", labels=labels, category=category)
    if verdict is None:
        raise WrongArguments(f"category {category}: labels {labels} were not judged, want judged ones")
    if verdict["verdict"] == "accepted":
        raise WrongArguments(f"category {category}: is accepted in labels {labels}, want a refused or a pending one")
    with ledger.transaction():
        ledger.run(
            "add_decision", category=category, labels=labels, decision=decision, reason=reason, person=person,
            covers=verdict["failed"], shortfalls=verdict["shortfalls"],
        )  # fmt: skip
        _rule(ledger, decision, category, labels=labels, person=person, reason=reason)
    return list(verdict["failed"])


def settle(ledger: Ledger, category: str, clip_id: str, *, answer: str, person: str, reason: str) -> None:
    """Say what a clip shows on which people disagree: nobody is asked about it any more.

    The next batch of votes takes the ruling to the labels, under which it counts whatever people answered.

    Args:
        ledger: of the platform.
        category: key of the category.
        clip_id: of a clip with answers.
        answer: `yes` or `no`.
        person: who rules.
        reason: why.

    Raises:
        WrongArguments: nobody has answered the clip, or the reason is empty.

    """
    with ledger.transaction():
        if _rule(ledger, "settle", category, clip_id=clip_id, answer=answer, person=person, reason=reason):
            _need(ledger.run("settle_clip", category=category, clip_id=clip_id), clip_id, "one with answers")


def send_back(ledger: Ledger, category: str, clip_id: str, *, person: str, reason: str) -> None:
    """Have one more person asked about a clip; what a lead settled about it before counts no more.

    Raises:
        WrongArguments: nobody has answered the clip, or the reason is empty.

    """
    with ledger.transaction():
        if _rule(ledger, "return", category, clip_id=clip_id, person=person, reason=reason):
            _need(ledger.run("return_clip", category=category, clip_id=clip_id), clip_id, "one with answers")


def make_known(
    ledger: Ledger, category: str, clip_id: str, *, answer: str, purpose: str, person: str, reason: str
) -> None:
    """Make a clip gold, which is mixed in unseen, or an example beside the guideline.

    Args:
        ledger: of the platform.
        category: key of the category.
        clip_id: of a clip of the queue.
        answer: `yes` or `no`.
        purpose: `gold` or `example`.
        person: whose word it is.
        reason: why.

    Raises:
        WrongArguments: no such clip is in the queue, or the reason is empty.

    """
    with ledger.transaction():
        if _rule(ledger, purpose, category, clip_id=clip_id, answer=answer, person=person, reason=reason):
            given = {"answer": answer, "purpose": purpose, "person": person}
            _need(len(ledger.rows("add_known_answer", category=category, clip_id=clip_id, **given)), clip_id, "another")


def forget_known(ledger: Ledger, category: str, clip_id: str, *, person: str, reason: str) -> None:
    """Let a clip be neither gold nor an example any more.

    Raises:
        WrongArguments: it is neither, or the reason is empty.

    """
    with ledger.transaction():
        if _rule(ledger, "forget", category, clip_id=clip_id, person=person, reason=reason):
            done = ledger.run("drop_known_answer", category=category, clip_id=clip_id)
            _need(done, clip_id, "gold or an example")


def ask_person_again(ledger: Ledger, category: str, annotator: str, *, day: date, person: str, reason: str) -> int:
    """Have one more person asked about each clip of a category that somebody answered on a day (UTC).

    No answer is deleted, and no label falls meanwhile. Clips that a lead settled, that are asked again already or that
    were withdrawn are left as they are. The cost is that of this person's answers of the day.

    Returns: how many clips are asked again; 0: the same was sent twice.

    Raises:
        WrongArguments: there is no such clip, or the reason is empty.

    """
    check_registered(ledger, [category])
    with ledger.transaction():
        keep_known(ledger, annotator)
        rule = partial(_rule, ledger, "ask again", category, annotator=annotator, person=person, reason=reason)
        is_new = rule()
        done = ledger.run("ask_person_again", category=category, annotator=annotator, day=day)
        if is_new and not done:
            raise WrongArguments(f"{annotator} answered no clip of {category} on {day} that can be asked again")
        if done and not is_new:
            # Of another day, or of answers that came since: it is another ruling in the same words.
            rule(changed=True)
    return done


def _turn(ledger: Ledger, query: str, kind: str, category: str, *, person: str, reason: str) -> bool:
    check_registered(ledger, [category])
    with ledger.transaction():
        done = bool(ledger.rows(query, category=category))
        if done:
            _rule(ledger, kind, category, person=person, reason=reason)
    return done


def _need(touched: int, clip_id: str, want: str) -> None:
    if not touched:
        raise WrongArguments(f"clip {clip_id}: cannot be ruled on like this, want {want}")


def _rule(
    ledger: Ledger,
    kind: str,
    category: str,
    *,
    person: str,
    reason: str,
    clip_id: str | None = None,
    labels: str | None = None,
    answer: str | None = None,
    annotator: str | None = None,
    changed: bool = False,
) -> bool:
    """Record a ruling; return whether it is new: what is sent twice is one ruling, unless it `changed` something."""
    if not reason.strip():
        raise WrongArguments(f"category {category}: the reason is empty, want why")
    keep_known(ledger, person)
    ledger.rows("lock_rulings", category=category)
    return bool(
        ledger.rows(
            "add_ruling", kind=kind, category=category, clip_id=clip_id, labels=labels, answer=answer,
            annotator=annotator, reason=reason, person=person, changed=changed,
        )
    )  # fmt: skip
