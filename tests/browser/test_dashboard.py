"""A lead reads the dashboard in a real browser: sorts, searches, filters, saves a csv, in the dark and on a telephone.

With SCREENSHOTS=<folder> the pages are saved there as they looked.
"""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_trends import trends_of
from playwright.sync_api import Browser, Locator, Page, expect
from visiting import opened, shot

from slac_tasks.reports.charts import Chart, Line, Point
from slac_tasks.reports.trends import NAME, Found, Pace

MANY = 40
"""Categories beside those of the fixture: more than the dashboard shows at once."""


@pytest.fixture
def judged(service: Any) -> Any:
    """A service with many judged categories: one has a formula for a name, each was measured at three versions."""
    service.run(
        f"""
        INSERT INTO categories (category, name)
        SELECT 'sport_' || n, CASE n WHEN 1 THEN '=1+1' ELSE 'Sport ' || n END FROM generate_series(1, {MANY}) AS n;
        INSERT INTO verdicts (labels, category, verdict, reasons, failed, shortfalls)
        SELECT '000003', 'sport_' || n, CASE WHEN n % 4 = 0 THEN 'refused' ELSE 'accepted' END, '{{}}', '{{}}', '{{}}'
          FROM generate_series(1, {MANY}) AS n;
        INSERT INTO measures (labels, category, place, measure, value, low, high, clip_count, least, most, state)
        SELECT labels, 'sport_' || n, 0, 'agreement', 0.6 + 0.01 * n, 0.55 + 0.01 * n, 0.6 + 0.01 * n, 10 * n, 0.5, 1,
               'met'
          FROM generate_series(1, {MANY - 1}) AS n, unnest(ARRAY['000001', '000002', '000003']) AS labels;
        """
    )
    service.run(
        """
        INSERT INTO annotators (annotator) VALUES ('ann'), ('bob') ON CONFLICT DO NOTHING;
        INSERT INTO annotator_quality (annotator, labels, answers, sensitivity, specificity, gold, gold_right, seconds,
            drift, flags)
        VALUES ('ann', '000003', 40, '{0.9, 0.8, 0.95}', '{0.92, 0.85, 0.97}', 10, 9, 3.5, -0.02, '{}'),
               ('bob', '000003', 12, '{0.5, 0.2, 0.8}', '{0.4, 0.2, 0.7}', 4, 1, 0.4, NULL, '{hurried}');
        INSERT INTO category_agreement VALUES ('tai_chi', '000003', 40, 0.61, 0.55, 3, 0.4, 0.78);
        """
    )
    days = tuple(f"2026-01-{day:02}" for day in range(1, 9))
    points = tuple(Point(at=at, value=0.6 + at / 40, low=0.5 + at / 40, high=0.7 + at / 40) for at in range(len(days)))
    shares = Chart(
        title="Positive share", about="Of the settled labels of each strategy.", ticks=days, is_share=True,
        lines=tuple(Line(name=name, points=points[place:]) for place, name in enumerate(("random", "disagreement"))),
    )  # fmt: skip
    found = Found(
        measure="positive_share", category=None, strategy="random", member=None, other=None, count=60, value=0.28,
        low=0.19, high=0.41,
    )  # fmt: skip
    made = trends_of(
        version="000003", rounds=len(days), over_rounds=[shares], over_days=[replace(shares, title="Right on gold")],
        found=[found, replace(found, category="tai_chi")], spent=[],
        paces=[Pace(person="ann", answers=[4, 9, 6], seconds=[5.0, 3.0, 2.5], gold=[0.5, 1.0])],
    )  # fmt: skip
    service.media.store.put(NAME, made.encode())
    return service


def names(table: Locator) -> list[str]:
    return table.locator("tbody tr:visible th").all_inner_texts()


def test_the_worst_stands_first_and_a_head_sorts_with_what_is_unknown_last(browser: Browser, judged: Any) -> None:
    with opened(browser, judged, "quality") as tab:
        table = tab.locator("table[data-table=categories]")
        expect(table.locator("tbody tr:visible")).to_have_count(25)
        first = names(table)
        assert first[:2] == ["Sport 4", "Sport 8"], "nobody decided on them, and they have least room"
        tab.get_by_role("button", name=f"Show all {MANY + 3}").click()
        agreement = table.get_by_role("button", name="Agreement")
        agreement.click()
        expect(table.get_by_role("columnheader", name="Agreement")).to_have_attribute("aria-sort", "descending")
        assert names(table)[:2] == [f"Sport {MANY - 1}", f"Sport {MANY - 2}"]
        agreement.click()
        assert set(names(table)[:2]) == {"=1+1", "Tai chi"}
        assert f"Sport {MANY}" in names(table)[-3:], "it was never measured"
        table.get_by_role("button", name="Category").click()
        assert [name for name in names(table) if "Sport" in name][:3] == ["Sport 2", "Sport 3", "Sport 4"], (
            "2 before 10"
        )


def test_search_and_filter_leave_what_fits_and_the_csv_holds_just_that(
    browser: Browser, judged: Any, tmp_path: Path
) -> None:
    with opened(browser, judged, "quality") as tab:
        tools = tab.locator("#categories .tools-of-table")
        tools.get_by_label("Verdict: filter").select_option("accepted")
        expect(tools.locator("output")).to_have_text(f"{MANY * 3 // 4 + 1} of {MANY + 3} rows")
        tools.get_by_label("Search categories").fill("sport 1")
        expect(tools.locator("output")).to_have_text(f"8 of {MANY + 3} rows")
        with tab.expect_download() as download:
            tools.get_by_role("button", name="CSV").click()
        download.value.save_as(tmp_path / "saved.csv")
        assert download.value.suggested_filename == "categories.csv"
        rows = list(csv.DictReader((tmp_path / "saved.csv").read_text().splitlines()))
        assert sorted(row["Category"] for row in rows) == sorted(f"Sport {n}" for n in (10, 11, 13, 14, 15, 17, 18, 19))
        (one,) = (row for row in rows if row["Category"] == "Sport 11")
        assert [float(one[f"Agreement{end}"]) for end in ("", ", low", ", high")] == [0.71, 0.66, 0.71]
        assert "Over versions" not in one, "a drawing"
        tools.get_by_label("Search categories").fill("1+1")
        with tab.expect_download() as download:
            tools.get_by_role("button", name="CSV").click()
        download.value.save_as(tmp_path / "formula.csv")
        assert "'=1+1," in (tmp_path / "formula.csv").read_text(), "a spreadsheet does not run it"


def test_every_table_of_every_page_can_be_saved(browser: Browser, judged: Any, tmp_path: Path) -> None:
    for page in ("quality", "funnel", "category?of=tai_chi", "people", "rounds"):
        with opened(browser, judged, page) as tab:
            tables = tab.locator("main table").count()
            assert tables > 0
            assert tab.locator("main .tools-of-table").get_by_role("button", name="CSV").count() == tables, page


def test_a_category_shows_each_measure_over_its_versions(browser: Browser, judged: Any) -> None:
    with opened(browser, judged, "quality") as tab:
        tab.get_by_role("link", name="Tai chi").click()
        expect(tab.get_by_role("heading", name="Tai chi", level=1)).to_be_visible()
        chart = tab.locator("figure.lines").filter(has_text="agreement")
        expect(chart.locator("circle")).to_have_count(2)
        assert chart.locator("circle title").last.inner_html().endswith("61 % [53 %, 68 %] of 400")
        assert chart.locator(".wanted").count() == 1
        expect(tab.get_by_text("guideline is being rewritten")).to_be_visible()
        expect(tab.get_by_role("row", name="precision, people")).to_contain_text("120 answers more")


def test_people_and_rounds_are_parts_of_the_dashboard(browser: Browser, judged: Any) -> None:
    with opened(browser, judged, "quality") as tab:
        tab.get_by_role("link", name="People").click()
        people = tab.locator("table[data-table=people]")
        expect(people.get_by_role("row", name="ann")).to_contain_text("0.90 [0.80, 0.95]")
        expect(people.get_by_role("img", name="3 days, from 5.0 to 2.5")).to_be_visible()
        assert names(people) == ["bob", "ann"], "who is flagged stands first"
        people.get_by_role("button", name="Answers", exact=True).click()
        assert names(people) == ["ann", "bob"]
        expect(tab.get_by_role("row", name="Tai chi")).to_contain_text("0.61 [0.40, 0.78]")
        tab.get_by_role("link", name="Rounds").click()
        chart = tab.locator("figure.lines").filter(has_text="Positive share")
        # two lines, and two in the key
        expect(chart.locator("polyline")).to_have_count(4)
        expect(chart.locator("circle title").first).to_have_text("random, 2026-01-01: 60 % [50 %, 70 %]")


def test_the_colours_follow_the_system_until_somebody_chooses(browser: Browser, judged: Any) -> None:
    def ground(tab: Page) -> str:
        return str(tab.evaluate("getComputedStyle(document.body).backgroundColor"))

    with opened(browser, judged, "quality") as tab:
        light = ground(tab)
    with opened(browser, judged, "quality", scheme="dark") as tab:
        dark = ground(tab)
        assert dark != light
        tab.get_by_role("button", name="Light colours").click()
        assert ground(tab) == light
        tab.goto(f"{judged.url}/funnel")
        assert ground(tab) == light, "it is chosen for every page"
        tab.get_by_role("button", name="Dark colours").click()
        assert ground(tab) == dark


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1024, "light"), (390, "dark")])
def test_no_page_is_wider_than_its_window(browser: Browser, judged: Any, width: int, scheme: str) -> None:
    with opened(browser, judged, "quality", width=width, scheme=scheme) as tab:
        for page in ("quality", "category?of=tai_chi", "people", "rounds", "funnel", "expectations", "releases"):
            tab.goto(f"{judged.url}/{page}")
            shot(tab, f"{page.split('?')[0]}-{width}-{scheme}")
            assert tab.evaluate("document.documentElement.scrollWidth") <= width, page
            expect(tab.get_by_role("heading", level=1)).to_be_in_viewport()
