"""People over time: answers a day, seconds an answer, and how often they are right on gold. Pure; Arrow in, rows out.

The numbers are those of the funnel: an answer is a vote that corrects no other, and its seconds are counted as the
ledger counts them. On gold counts what a person's last word was, as in what is said of people elsewhere: an answer that
was corrected, perhaps with a later batch of votes, does not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.intervals import wilson
from slac_tasks.reports.charts import Chart, Line, Point
from slac_tasks.reports.trends import Pace
from slac_tasks.verification.ballots import counted_seconds

COLUMNS = ("vote_id", "annotator", "cast_at", "seconds", "clip_id", "category", "answer", "supersedes")
"""What is read of the votes."""
DAYS_MOST = 90
"""Days in a chart, the newest; days on which nobody answered are none."""


@dataclass(frozen=True, kw_only=True)
class Day:
    """What one person did on one day (UTC)."""

    person: str
    day: str
    answers: int
    seconds: float
    gold: int
    """Answers yes or no to gold, none of them corrected later."""
    right: int


def days(votes: Iterable[pa.Table], gold: Mapping[tuple[str, str], str]) -> list[Day]:
    """Return what each person did on each day, by day and person.

    Args:
        votes: tables with COLUMNS.
        gold: by (category, clip_id), the answer that is known. Examples, whose answer everybody sees, are none.

    """
    keys = [f"{category} {clip}" for category, clip in gold]
    known = pa.table({"key": pa.array(keys, pa.string()), "known": pa.array(list(gold.values()), pa.string())})
    parts, golden = [], []
    for table in votes:
        if table.num_rows:
            parts.append(_counted(table))
            golden.append(_on_gold(table, known))
    if not parts:
        return []
    parts.append(_judged(pa.concat_tables(golden)))
    rows = _summed(pa.concat_tables(parts)).sort_by([("day", "ascending"), ("annotator", "ascending")]).to_pylist()
    return [
        Day(person=row["annotator"], day=row["day"], answers=row["answers"], seconds=row["seconds"], gold=row["gold"],
            right=row["right"])
        for row in rows
    ]  # fmt: skip


def _counted(votes: pa.Table) -> pa.Table:
    """Return the answers and seconds of each person and day of one table."""
    none = pa.repeat(0, votes.num_rows)
    return _summed(
        pa.table(
            {
                "annotator": votes["annotator"],
                "day": pc.strftime(votes["cast_at"], "%Y-%m-%d"),
                "answers": pc.cast(pc.is_null(votes["supersedes"]), pa.int64()),
                "seconds": counted_seconds(votes["seconds"]),
                "gold": none,
                "right": none,
            }
        )
    )


def _on_gold(votes: pa.Table, known: pa.Table) -> pa.Table:
    """Return the votes of one table on clips whose answer is known: they are few."""
    key = pc.binary_join_element_wise(votes["category"], votes["clip_id"], " ")
    truth = known["known"].take(pc.index_in(key, value_set=known["key"].combine_chunks()))
    found = votes.select(["vote_id", "annotator", "cast_at", "answer", "supersedes"]).append_column("known", truth)
    return found.filter(pc.is_valid(truth))


def _judged(votes: pa.Table) -> pa.Table:
    """Return how many of the votes on gold, by person and day, count, and how many of these are right."""
    corrected = votes["supersedes"].combine_chunks().drop_null()
    plain = pc.is_in(votes["answer"], value_set=pa.array(["yes", "no"]))
    own = votes.filter(pc.and_not(plain, pc.is_in(votes["vote_id"], value_set=corrected)))
    return _summed(
        pa.table(
            {
                "annotator": own["annotator"],
                "day": pc.strftime(own["cast_at"], "%Y-%m-%d"),
                "answers": pa.repeat(0, own.num_rows),
                "seconds": pa.repeat(0.0, own.num_rows),
                "gold": pa.repeat(1, own.num_rows),
                "right": pc.cast(pc.equal(own["answer"], own["known"]), pa.int64()),
            }
        )
    )


def _summed(numbers: pa.Table) -> pa.Table:
    """Return the sums of each person and day, under the same names."""
    sums = numbers.group_by(["day", "annotator"]).aggregate(
        [(name, "sum") for name in ("answers", "seconds", "gold", "right")]
    )
    return sums.rename_columns([name.removesuffix("_sum") for name in sums.column_names])


def charts(found: Sequence[Day]) -> list[Chart]:
    """Return all people together: answers a day, seconds an answer, gold accuracy with its Wilson interval."""
    ticks = tuple(sorted({one.day for one in found}))[-DAYS_MOST:]
    places = {day: at for at, day in enumerate(ticks)}
    sums = {day: [0, 0.0, 0, 0] for day in ticks}
    for one in found:
        if one.day in sums:
            for place, number in enumerate((one.answers, one.seconds, one.gold, one.right)):
                sums[one.day][place] += number
    answers, pace, right = [], [], []
    for day, (count, seconds, gold, good) in sums.items():
        answers.append(Point(at=places[day], value=float(count)))
        if count:
            pace.append(Point(at=places[day], value=seconds / count, count=int(count)))
        if gold:
            low, high = wilson(int(good), int(gold))
            right.append(Point(at=places[day], value=good / gold, low=low, high=high, count=int(gold)))
    about = "Days (UTC) on which somebody answered."
    return [
        Chart(title="Answers a day", about=about, ticks=ticks, lines=(Line(name="answers", points=tuple(answers)),)),
        Chart(title="Seconds an answer", about="", ticks=ticks, lines=(Line(name="seconds", points=tuple(pace)),)),
        Chart(
            title="Right on gold", about="Share of the answers to clips whose answer is known, with its 95 % interval.",
            ticks=ticks, lines=(Line(name="right", points=tuple(right)),), is_share=True,
        ),
    ]  # fmt: skip


def paces(found: Sequence[Day]) -> list[Pace]:
    """Return each person's newest days, by name."""
    of: dict[str, list[Day]] = {}
    for one in found:
        of.setdefault(one.person, []).append(one)
    return [
        Pace(
            person=person,
            answers=[one.answers for one in own[-DAYS_MOST:]],
            seconds=[round(one.seconds / one.answers, 2) for one in own[-DAYS_MOST:] if one.answers],
            gold=[round(one.right / one.gold, 3) for one in own[-DAYS_MOST:] if one.gold],
        )
        for person, own in sorted(of.items())
    ]
