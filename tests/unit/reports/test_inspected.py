"""The docs of a dataset hold what fails, say what is new, and stay small."""

import json

import pytest

from slac_tasks.errors import BrokenContract
from slac_tasks.reports.data_docs import Docs
from slac_tasks.reports.inspected import MOST_FAILING, after, index, page
from slac_tasks.storage.datasets.judging import ExpectationRow


def row(verdict: str, severity: str = "critical", name: str = "start_on_grid") -> ExpectationRow:
    return ExpectationRow(
        name=name, subject="", sentence="Every clip starts on the grid.", severity=severity, value=3.0, low=None,
        high=None, wanted_low=None, wanted_high=0.0, verdict=verdict, count=9, examples=("<v>:300",),
    )  # fmt: skip


EMPTY = Docs(dataset="clips", inspected_at="never")


def test_what_fails_stays_until_it_is_judged_again() -> None:
    docs = after(EMPTY, {"judo.1": [row("failed")], "judo.2": [row("met")]}, "today")
    assert [(one.partition, len(one.critical), len(one.warnings)) for one in docs.failing] == [("judo.1", 1, 0)]
    docs = after(docs, {"judo.3": [row("failed", "warning")]}, "tomorrow")
    assert [one.partition for one in docs.failing] == ["judo.3", "judo.1"]
    assert (docs.critical, docs.warned, docs.judged) == (1, 1, 1)
    assert [one.partition for one in after(docs, {"judo.1": [row("met")]}, "later").failing] == ["judo.3"]


def test_expectations_that_failed_stand_first() -> None:
    found = [row("met", name="a"), row("failed", "warning", "b"), row("failed", name="c")]
    docs = after(EMPTY, {"judo.1": found}, "today")
    assert [line.name for line in docs.lines] == ["c", "b", "a"]
    assert (docs.lines[0].met, docs.lines[0].failed) == (0, 1)
    docs = after(docs, {"judo.2": [row("met", name="c"), row("unchecked", name="a")]}, "today", goes_on=True)
    assert docs.judged == 2
    assert [(line.name, line.met, line.failed, line.unchecked) for line in docs.lines] == [
        ("c", 1, 1, 0),
        ("b", 0, 1, 0),
        ("a", 1, 0, 1),
    ]


def test_docs_are_read_as_they_were_written() -> None:
    docs = after(EMPTY, {"judo.1": [row("failed")]}, "today")
    assert Docs.decode(docs.encode(), "clips.json") == docs


def test_pages_show_what_fails_and_load_nothing() -> None:
    docs = after(EMPTY, {"judo.1": [row("failed")]}, "today")
    for text in (page(docs), index([docs])):
        assert "http" not in text
        assert "<script" not in text
    assert "&lt;v&gt;:300" in page(docs)
    assert 'href="clips.html"' in index([docs])


def test_docs_do_not_grow_with_what_fails() -> None:
    docs = after(EMPTY, {f"judo.{n}": [row("failed")] for n in range(3 * MOST_FAILING)}, "today")
    assert len(docs.failing) == MOST_FAILING


def test_what_another_release_wrote_of_a_line_besides_is_left_out() -> None:
    docs = after(EMPTY, {"judo.1": [row("failed")]}, "today")
    written = json.loads(docs.encode())
    written["lines"][0]["worst"] = "not_empty: found 0 rows"
    assert Docs.decode(json.dumps(written).encode(), "clips.json") == docs
    del written["lines"][0]["met"]
    with pytest.raises(BrokenContract, match=r"clips\.json: is no docs of a dataset"):
        Docs.decode(json.dumps(written).encode(), "clips.json")
