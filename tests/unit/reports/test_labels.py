"""The data-quality report: what a lead reads of a version of the labels."""

import posixpath
import re
from datetime import UTC, datetime

import pandas as pd

from slac_tasks.reports import labels
from slac_tasks.reports.categories import Standing, categories
from slac_tasks.reports.data_docs import FOLDER
from slac_tasks.reports.funnel import Facts
from slac_tasks.reports.kinds import Kind, Worth
from slac_tasks.reports.labels import Report
from slac_tasks.reports.measures import Judged
from slac_tasks.reports.trends import Pace
from slac_tasks.storage.datasets.labelling import AgreementRow, PersonRow, QualityRow

LABELS = pd.DataFrame(
    {"category": ["judo"] * 4 + ["polo"], "video_id": list("abcde"),
     "strategy": ["random", "random", "consensus", "consensus", "random"],
     "status": ["settled"] * 4 + ["broken"], "label": [1.0, -1.0, 1.0, 1.0, None]}
)  # fmt: skip
VERDICTS = [
    QualityRow(category="judo", verdict="refused", reasons=("agreement is <low>",), settled=4, positive=3,
               agreement=0.5, unsettled=0, failed=("agreement",), shortfalls=(0.25,)),
    QualityRow(category="polo", verdict="pending", reasons=(), settled=0, positive=0, agreement=None, unsettled=0,
               failed=(), shortfalls=()),
]  # fmt: skip
DECIDED = Standing(
    category="judo", name="Judo", labels="000002", verdict="refused", reasons=("agreement is <low>",),
    judged_at=datetime(2026, 1, 6, tzinfo=UTC), standing="undecided", decision="approve", decision_reason="seen",
    person="lea", decided_at=datetime(2026, 1, 5, tzinfo=UTC), decided_labels="000001", stands=False,
)  # fmt: skip
POLO = Standing(
    category="polo", name="polo", labels="000002", verdict="pending", reasons=(), judged_at=DECIDED.judged_at,
    standing="pending", decision=None, decision_reason=None, person=None, decided_at=None, decided_labels=None,
    stands=None,
)  # fmt: skip
FACTS = Facts(
    categories=2, found=20, kept=12, clips=100, scored=100, asked=10, answered=6, finished=4, votes=8, seconds=20.0,
    judged=1, accepted=0, released=0, releases=0,
)  # fmt: skip
ANN = PersonRow(
    annotator="ann", category=None, answers=5, sensitivity=0.9, sensitivity_low=0.8, sensitivity_high=0.95,
    specificity=0.7, specificity_low=0.5, specificity_high=0.8, gold=2, gold_right=1, seconds=3.5, drift=None,
    set_gold=0, set_missed=0, set_miss_low=None, set_miss_high=None,
    flags=("hurried",),
)  # fmt: skip

JUDO = Kind(
    category="judo", name="Judo", kind="carried", labels="000001", label_count=90, certified=0, threshold=None,
    bound=0.3, wanted=0.05, level=0.95, answers_needed=1737, gold_needed=609, answers=8, seconds=60.0, twice=0,
    differ=0,
)  # fmt: skip

AGREED = Judged(
    category="judo", labels="000001", measure="agreement", kind=None, value=0.5, low=0.12, high=0.88, clip_count=4,
    least=0.75, most=1.0, state="outside", needed=None, trend=(0.75, 0.5),
)  # fmt: skip


def report() -> Report:
    return Report(
        version="000002", categories=categories([POLO, DECIDED], {"judo": [AGREED]}), facts=FACTS,
        labels=LABELS, people=[ANN],
        agreement=[AgreementRow(category="judo", clips=4, krippendorff=0.5, cohen=None, pairs=1)],
        paces=[Pace(person="ann", answers=[2, 3], seconds=[5.0, 1.0], gold=[])], worths=[Worth(kinds=(JUDO,))],
    )  # fmt: skip


def test_the_page_leads_to_the_docs_of_the_expectations() -> None:
    (link,) = re.findall(r'href="([^"]*docs[^"]*)"', labels.page(report()))
    assert posixpath.normpath(f"reports/v1/labels=000002/{link}") == f"{FOLDER}/index.html"


def test_the_page_says_what_is_known_and_loads_nothing() -> None:
    html = labels.page(report())
    for word in (
        "Judo",
        "polo",
        "agreement is &lt;low&gt;",
        "<b>Approved</b> by lea",
        "asked again",
        "<b>2.5 s</b> an answer",
        "Asked: clips sent to people",
        "consensus",
        "hurried",
        "50.0 % [12.0 %, 88.0 %]",
        "75 % or more",
        "2 versions, from 75 % to 50 %",
        "2 days, from 2 to 3",
    ):
        assert word in html, word
    assert html.index("Judo") < html.index("polo"), "the worst first"
    assert "<b>90.0</b> a minute" in html
    assert "at least 1,737 answers more would be needed, 609 of them to gold" in html
    for loaded in ("<script", "src=", 'rel="stylesheet"', "http://", "https://"):
        assert loaded not in html


def test_the_table_of_text_has_a_line_for_each_category() -> None:
    head, judo, polo = labels.text(VERDICTS).splitlines()
    assert head.split()[:2] == ["category", "verdict"]
    assert judo.split()[:5] == ["judo", "refused", "4", "3", "50%"]
    assert polo.split()[-1] == "unknown"
