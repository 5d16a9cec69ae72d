"""What leads decide: about a category, about a clip, about a person's answers.

Each function changes what the stages read and writes a row of `rulings`, in one transaction: who ruled, when, what, and
why. The table is append only; what is ruled later counts. Each raises WrongArguments where there is nothing to rule on.
"""

from slac_tasks.errors import WrongArguments
from slac_tasks.storage.categories import check_registered
from slac_tasks.storage.ledger import Ledger


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
    check_registered(ledger, [category])
    with ledger.transaction():
        done = bool(ledger.rows("retire_category", category=category))
        if done:
            _rule(ledger, "retire", category, person=person, reason=reason)
    return done


def restore(ledger: Ledger, category: str, *, person: str, reason: str) -> bool:
    """Take a retired category up again; see `retire`.

    Returns: whether it was retired; False: it is at work, and nothing is written.

    """
    check_registered(ledger, [category])
    with ledger.transaction():
        done = bool(ledger.rows("unretire_category", category=category))
        if done:
            _rule(ledger, "restore", category, person=person, reason=reason)
    return done


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
) -> bool:
    """Record a ruling; return whether it is new: what is sent twice is one ruling."""
    if not reason.strip():
        raise WrongArguments(f"category {category}: the reason is empty, want why")
    return bool(
        ledger.rows(
            "add_ruling", kind=kind, category=category, clip_id=clip_id, labels=labels, answer=answer,
            annotator=annotator, reason=reason, person=person,
        )
    )  # fmt: skip
