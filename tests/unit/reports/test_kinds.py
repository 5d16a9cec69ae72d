"""What people's time gave, in numbers and in sentences."""

from dataclasses import replace

import pytest

from slac_tasks.reports.kinds import Kind, Worth, worths

CERTIFIED = Kind(
    category=None, name="All categories", kind="people", labels="000001", label_count=1500, certified=1234,
    threshold=0.9, bound=0.041, wanted=0.05, level=0.95, answers_needed=None, gold_needed=None, answers=1800,
    seconds=3600.0, twice=40, differ=10,
)  # fmt: skip
NOTHING = replace(
    CERTIFIED, kind="carried", label_count=3000, certified=0, threshold=None, bound=0.12, answers_needed=1737,
    gold_needed=609,
)  # fmt: skip
BOTH = Worth(kinds=(CERTIFIED, NOTHING))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (CERTIFIED, "at most 4.1 % of 1,234 labels of confidence 0.9 or more wrong (95 %)"),
        (replace(CERTIFIED, threshold=0.0), "at most 4.1 % of 1,234 labels wrong (95 %)"),
        (NOTHING, "nothing is certified; up to 12.0 % may be wrong, want 5.0 %; at least 1,737 answers more would be "
         "needed, 609 of them to gold"),
        (replace(NOTHING, bound=None, answers_needed=None, gold_needed=None),
         "nothing is certified; an unknown share may be wrong, want 5.0 %; no number of answers would be enough"),
    ],
)  # fmt: skip
def test_a_certificate_is_a_sentence(kind: Kind, said: str) -> None:
    assert kind.certificate == said


def test_kinds_share_the_minutes_of_their_category() -> None:
    assert (CERTIFIED.per_minute, NOTHING.per_minute) == (25.0, 50.0)
    assert replace(CERTIFIED, seconds=0.0).per_minute is None


def test_a_saving_is_answers_for_certified_labels_against_the_rule() -> None:
    assert BOTH.answers_a_label == 0.4
    assert BOTH.answers_by_rule == 2.25, "a third answer where the first two differ"
    assert BOTH.saving == pytest.approx(1 - 1800 / 1234 / 2.25)
    assert BOTH.effort == (
        "1,800 answers; 0.40 a label; 1.46 a certified label; by the rule of HACS 2.25 a label (the first two differ "
        "on 10 of 40 clips drawn by lot); 35 % of the rule's answers are saved"
    )


def test_more_answers_than_by_the_rule_are_no_saving() -> None:
    worth = Worth(kinds=(replace(CERTIFIED, certified=400),))
    assert worth.effort.endswith("; 100 % more answers than by the rule")


@pytest.mark.parametrize("kind", [NOTHING, replace(CERTIFIED, twice=0, differ=0)])
def test_no_saving_is_claimed_without_a_certificate_or_without_counted_pairs(kind: Kind) -> None:
    worth = Worth(kinds=(kind,))
    assert worth.saving is None
    assert worth.effort.endswith("; no saving is measured yet")


def test_kinds_are_grouped_by_category_in_their_order() -> None:
    judo = replace(CERTIFIED, category="judo", name="Judo")
    assert worths([CERTIFIED, NOTHING, judo]) == [BOTH, Worth(kinds=(judo,))]
    assert list(BOTH.lines())[1].startswith("carried: 3,000 labels, 50.0 a minute; nothing is certified")
    assert worths([]) == []
