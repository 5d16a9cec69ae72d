"""Write the data-quality report: one page a person can read, without anything to load from elsewhere.

Reads: the newest judged labels, their verdicts, what is said of people; the rounds and the newest accounts of the
strategies; the ledger's funnel, judgements, measures and newest certificates, as the web pages read them.
Writes: rounds (version of the labels); index.html, measures.csv and rounds.html under reports/v1/labels=<version>/;
reports/v1/trends.json for the web pages; a table of the verdicts on the terminal.
Safe to run again: the page is written again from the same data.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from slac_tasks.job import Job
from slac_tasks.progress import counted, print_line
from slac_tasks.reports import accounts, labels, measures, pace, round_charts, rounds, rounds_page, trends
from slac_tasks.reports.categories import Standing, categories
from slac_tasks.reports.funnel import Facts
from slac_tasks.reports.kinds import Kind, worths
from slac_tasks.reports.labels import Report
from slac_tasks.reports.trends import Trends
from slac_tasks.storage.datasets import ACCOUNTS, AGREEMENT, HARD_CLIPS, PEOPLE, QUALITY, ROUNDS, VOTES
from slac_tasks.storage.datasets.labelling import AccountRow, RoundRow
from slac_tasks.storage.declarations import Dataset, R
from slac_tasks.storage.manifests import Manifest
from slac_tasks.verification.control import GOLD
from slac_tasks.verification.versions import need_labels, newest, read_labels


def run(job: Job) -> None:
    """Write the report on the newest judged labels."""
    # Of two at once, the one that ends later would write the trends of an older version over those of a newer one.
    with job.alone("reports"):
        version = newest(job.datasets, QUALITY)
        if version is None:
            print_line("report: finished already, no labels were judged yet")
        else:
            _write(job, version)


def _write(job: Job, version: str) -> None:
    folder = f"reports/v1/labels={version}"
    made = _trends(job, version)
    found = _report(job, version, made)
    job.store.put(f"{folder}/rounds.html", rounds_page.page(made).encode())
    shown = [row for category in found.categories for row in category.measures]
    job.store.put(f"{folder}/measures.csv", measures.table(shown).encode())
    job.store.put(f"{folder}/index.html", labels.page(found).encode())
    job.store.put(trends.NAME, made.encode())
    print(labels.text(job.datasets.rows(QUALITY, labels=version)), flush=True)
    print_line(f"report: wrote {folder}/index.html, {counted(len(found.categories), 'category')}")


def _report(job: Job, version: str, made: Trends) -> Report:
    """Return what is known of a version of the labels."""
    (facts,) = job.ledger.all(Facts, "funnel")
    measured = measures.by_category(job.ledger.all(measures.Judged, "web_measures", category=None))
    return Report(
        version=version,
        categories=categories(job.ledger.all(Standing, "web_quality"), measured),
        facts=facts,
        labels=read_labels(job.datasets, version, ["category", "video_id", "strategy", "status", "label"]).to_pandas(),
        people=_rows(job, PEOPLE, version),
        agreement=_rows(job, AGREEMENT, version),
        paces=made.paces,
        worths=worths(job.ledger.all(Kind, "label_kinds")),
    )


def _trends(job: Job, version: str) -> Trends:
    """Return what changes over rounds and over days, up to a version of the labels."""
    hard = _hard_clips(job)
    votes = [job.datasets.need(VOTES, **found) for found in job.datasets.partitions(VOTES) if found["batch"] <= version]
    rows = _rounds(job, version, hard, votes)
    known = job.ledger.rows("known_answers")
    gold = {(row["category"], row["clip_id"]): row["answer"] for row in known if row["purpose"] == GOLD}
    days = pace.days((table for made in votes for table in job.datasets.tables(made, pace.COLUMNS)), gold)
    return Trends(
        version=version,
        rounds=len(round_charts.rounds_of(rows)),
        over_rounds=round_charts.over_rounds(rows),
        of_members=round_charts.of_members(rows),
        found=round_charts.found(rows),
        spent=accounts.spent(_accounts(job), accounts.newest_rounds(job.datasets, hard)),
        over_days=pace.charts(days),
        paces=pace.paces(days),
    )


def _rows(job: Job, dataset: Dataset[R], version: str) -> list[R]:
    """Return the rows of this version; none where it was judged before people were."""
    manifest = job.datasets.manifest(dataset, labels=version)
    return list(job.datasets.rows_of(dataset, manifest)) if manifest else []


def _accounts(job: Job) -> list[AccountRow]:
    """Return the newest accounts, which may be older than the labels; none before anything was carried."""
    version = newest(job.datasets, ACCOUNTS)
    return _rows(job, ACCOUNTS, version) if version else []


def _hard_clips(job: Job) -> list[Manifest]:
    with ThreadPoolExecutor(rounds.READERS) as pool:
        return list(pool.map(lambda found: job.datasets.need(HARD_CLIPS, **found), job.datasets.partitions(HARD_CLIPS)))


def _rounds(job: Job, version: str, hard: Sequence[Manifest], votes: Sequence[Manifest]) -> list[RoundRow]:
    """Write `rounds` for a version of the labels, unless it is finished, and return its rows."""
    inputs = [need_labels(job.datasets, version), *hard, *votes]
    with job.partition(ROUNDS, {"labels": version}, inputs=inputs) as made:
        if not made.finished:
            made.write(rounds.measured(rounds.answered(job.datasets, hard, votes, version)))
    return list(job.datasets.rows_of(ROUNDS, made.manifest))
