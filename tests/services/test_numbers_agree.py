"""The terminal, the report and the web pages show the same numbers, whatever the data is like."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from logged_in import LEAD, service
from review_work import cast, lease, publish_and_answer
from strangers import ask

from slac_tasks import cli
from slac_tasks.quality.settings import Quality
from slac_tasks.reports import trends
from slac_tasks.reports.funnel import METRICS
from slac_tasks.stages import aggregate, report, sync, validate
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger

GATE = Quality(min_labels=4, min_positive_share=0.0, max_positive_share=1.0, min_precision=0.0, min_agreement=0.7)
Shown = Callable[[str], str]


class Tables(HTMLParser):
    """The named tables of a page: the rows of their bodies, and the values of their cells as the csv has them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, list[list[str]]] = {}
        self.name: str | None = None
        self.value: str | None = None
        self.is_body = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "table":
            self.name, self.is_body = given.get("data-table"), False
            self.found.setdefault(str(self.name), [])
        self.is_body |= tag == "tbody"
        if not self.is_body:
            return
        if tag == "tr" and self.name:
            self.found[self.name].append([])
        elif tag in ("td", "th") and self.name:
            self.value = given.get("data-value")
            self.found[self.name][-1].append(self.value or "")

    def handle_data(self, data: str) -> None:
        if self.name and self.is_body and self.value is None and self.found[self.name][-1:] not in ([], [[]]):
            self.found[self.name][-1][-1] += " ".join(data.split())

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self.name = None


def table(page: str, name: str) -> list[list[str]]:
    """Return the rows of a table, in the order of their values."""
    return sorted(Tables(page).found[name])


def steps(page: str) -> dict[str, int]:
    """Return the numbers of the funnel that a page shows, by name."""
    found = re.findall(r'<span class="name">(\w+): [^<]*</span>\s*<b>([\d,]+)</b>', page)
    return {name.lower(): int(number.replace(",", "")) for name, number in found}


def tally(page: str) -> dict[str, int]:
    """Return how many categories stand how."""
    found = re.findall(r'<li><span class="verdict [\w-]+">([\w ]+)</span> <b>([\d,]+)</b>', page)
    return {name: int(number) for name, number in found}


@pytest.fixture
def shown(ledger: Ledger, ledger_url: str, store: FolderStore) -> Iterator[Shown]:
    """Return a page as a lead sees it, by its address."""
    with service(ledger_url, store, LEAD) as served:

        def page(address: str) -> str:
            answer = ask(served.app, "GET", f"/{address}".encode(), headers=[served.cookie(LEAD)])
            assert answer.status == 200, address
            return answer.body.decode()

        yield page


@pytest.fixture
def odd(make_job: Any, ledger: Ledger) -> None:
    """Corrections, unsure and broken answers, answers of a week, a withdrawn video, and categories of every kind.

    High jump is accepted, polo is refused and approved, judo is pending, since people are unsure of it. Tai chi has a
    name that looks like HTML, and nobody was ever asked about the fifth one.
    """
    for category, answers in (
        ("high_jump", {"ann": "yes", "bob": "yes"}),
        ("polo", {"ann": "yes", "bob": "no"}),
        ("judo", {"ann": "unsure"}),
        ("tai_chi", {"ann": "no", "bob": "no"}),
    ):
        publish_and_answer(make_job, ledger, {}, category=category, clips=8)
        for person, said in answers.items():
            for place, clip in enumerate(lease(ledger, person, category=category)):
                word = "broken" if place == 7 and category == "polo" else said
                assert cast(ledger, person, clip["clip_id"], word, category, seconds=700_000.0 if place == 3 else 3.5)
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE categories SET name = '<b>Tai chi' WHERE category = 'tai_chi'")
        cursor.execute("INSERT INTO categories (category, name) VALUES ('never_asked', 'Never asked')")
        cursor.execute("SELECT vote_id::text, clip_id FROM votes WHERE category = 'high_jump' AND annotator = 'ann'")
        (wrong, clip), *_ = cursor.fetchall()
    assert cast(ledger, "ann", clip, "no", "high_jump", supersedes=wrong)
    for number in (1, 2):
        for stage in (sync, aggregate, validate):
            stage.run(make_job(stage.__name__.rpartition(".")[2], settings={"quality": GATE}))
        if number == 1:
            decided = {"category": "polo", "labels": "000001", "decision": "approve", "reason": "hard", "person": "eve"}
            ledger.run("add_decision", **decided, covers=["agreement"], shortfalls=[1.0])
            for open_clip in lease(ledger, "cid", category="polo"):
                cast(ledger, "cid", open_clip["clip_id"], "yes", "polo")
            with ledger._connection.cursor() as cursor:
                cursor.execute("INSERT INTO tombstones VALUES (%s, 'takedown')", (f"{5:016x}",))
    report.run(make_job("report", settings={"quality": GATE}))


@pytest.fixture
def printed(
    odd: None, store: FolderStore, ledger_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """What `slac funnel` prints."""
    for name, value in {"SLAC_STORE": store.url, "SLAC_DATABASE_URL": ledger_url, "SLAC_CONFIG": ""}.items():
        monkeypatch.setenv(name, value)
    capsys.readouterr()
    assert cli.main(["funnel"]) == 0
    return capsys.readouterr().out


def test_every_number_is_the_same_on_terminal_report_and_pages(
    printed: str, shown: Shown, store: FolderStore, ledger: Ledger
) -> None:
    (version,) = {name.split("/")[2] for name in store.names("reports/v1/labels=")}
    written = store.get(f"reports/v1/{version}/index.html").decode()
    rounds = store.get(f"reports/v1/{version}/rounds.html").decode()
    funnel, quality, people = shown("funnel"), shown("quality"), shown("people")

    # The funnel: terminal, report, page, and the sums of the table by category.
    of_terminal = {
        name: int(number.replace(",", "")) for name, number in re.findall(r"(?m)^(\w+) +([\d,]+)  ", printed)
    }
    assert set(of_terminal) == {metric.name for metric in METRICS}
    assert of_terminal == steps(written) == steps(funnel)
    rows = table(funnel, "funnel")
    sums = [sum(float(row[place]) for row in rows) for place in (3, 4, 5, 6, 7)]
    (facts,) = ledger.rows("funnel")
    assert sums == [facts[name] for name in ("asked", "answered", "finished", "votes", "seconds")]
    assert f"{facts['seconds'] / facts['votes']:.2f} s an answer, {facts['votes']:,} answers" in printed

    # How categories stand: tally, tables, and the funnel's accepted of judged.
    counts = tally(quality)
    assert counts == tally(written) == Counter(row[1] for row in table(quality, "categories"))
    assert Counter(row[8] for row in rows) == counts
    assert of_terminal["accepted"] == counts.get("accepted", 0) + counts.get("approved", 0)
    assert of_terminal["categories"] == len(rows) == sum(counts.values())
    assert table(quality, "categories") == table(written, "categories")

    # What each category is judged by: report, csv, page of the category.
    lines = list(csv.DictReader(io.StringIO(store.get(f"reports/v1/{version}/measures.csv").decode())))
    for (category,) in {(row["category"],) for row in lines}:
        page = table(shown(f"category?of={category}"), category)
        assert len(page) == len([row for row in lines if row["category"] == category])
        values = [float(row["value"]) for row in lines if row["category"] == category and row["value"]]
        assert sorted(float(row[1]) for row in page if row[1]) == pytest.approx(sorted(values))
    assert table(written, "measures") == sorted(
        row
        for (category,) in {(row["category"],) for row in lines}
        for row in table(shown(f"category?of={category}"), category)
    )

    # Labels by strategy: terminal, report and rounds.
    shares = dict(re.findall(r"positive share of (\w+): [\d.]+ \[[\d., ]+\] of (\d+)", printed))
    assert shares
    assert shares == {row[0]: row[1] for row in table(shown("rounds"), "strategies")}
    assert table(rounds, "strategies") == table(shown("rounds"), "strategies")
    assert table(rounds, "positive-share") == table(shown("rounds"), "positive-share")
    (settled,) = re.findall(r"labels verified: .*?(\d+) settled", printed)
    assert int(settled) == sum(map(int, shares.values()))
    assert f"settled: <b>{settled}</b>" in written

    # People: report and page; and all their days together are the funnel's answers and seconds.
    # The page also counts answers that came too fast, of which the ledger alone knows.
    assert table(written, "people") == sorted(row[:7] + row[8:] for row in table(people, "people"))
    assert [row[1:] for row in table(written, "agreement")] == [row[1:] for row in table(people, "agreement")]
    made = trends.read(store)
    assert made is not None
    assert sum(sum(one.answers) for one in made.paces) == facts["votes"]
    answers, seconds, _ = made.over_days
    spent = sum(point.value * (point.count or 0) for point in seconds.lines[0].points)
    assert sum(point.value for point in answers.lines[0].points) == facts["votes"]
    assert spent == pytest.approx(facts["seconds"])


def test_time_counts_the_same_for_the_funnel_and_for_the_worth_of_a_round(
    odd: None, shown: Shown, ledger: Ledger
) -> None:
    """An answer of a week counts a day, wherever people's time is shown."""
    (facts,) = ledger.rows("funnel")
    rows = table(shown("rounds"), "strategies")
    # settled x positive share / (positives a minute) are the minutes of a strategy
    minutes = sum(float(row[1]) * float(row[2]) / float(row[3]) for row in rows if float(row[3] or 0))
    with ledger._connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(counted_seconds(v.seconds)) / 60 FROM votes AS v JOIN live_queue AS q USING (clip_id, category)"
            " WHERE q.strategy = ANY (%s)",
            ([row[0] for row in rows if float(row[3] or 0)],),
        )
        (wanted,) = cursor.fetchone()
    assert minutes == pytest.approx(wanted)
    assert facts["seconds"] / 60 >= wanted
