"""From the instances of tasks to the pages that show what they made."""

import base64
import re
import runpy
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization
from fastapi import FastAPI
from fastapi.testclient import TestClient
from slac_airflow import PlanSome, _where_to_decide, plan, slac
from slac_links import LINKS, is_mounted

from slac_tasks.procedure import STAGES
from slac_tasks.web import listing

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "inspect": "expectations",
    "judge": "quality",
    "report": "reports",
    "mine": "clips?category=judo",
    "publish": "clips?category=judo",
    "map": "map?category=judo",
    "approve": "desk?of=judo",
    "release": "releases#r0001",
}


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLAC_WEB_URL", "SLAC_STORE", "SLAC_DATABASE_URL", "SLAC_PODS"):
        monkeypatch.delenv(name, raising=False)


def task(stage: str) -> Any:
    with DAG("links"):
        return slac(stage, all_of={"release": "r0001", "category": ["tai_chi", "judo"]})


@pytest.mark.parametrize("stage", PAGES)
def test_a_task_leads_to_the_page_of_what_it_made(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLAC_WEB_URL", "https://slac.example/")
    made = task(stage)
    (link,) = made.operator_extra_links
    assert link.get_link(made, ti_key=None) == f"https://slac.example/{PAGES[stage]}"


def test_each_link_belongs_to_a_stage_and_leads_to_a_page_that_there_is() -> None:
    assert set(LINKS) <= set(STAGES)
    assert {link.page for link in LINKS.values()} <= {*listing.PAGES, *listing.PARTS}


def test_pages_want_a_store_and_a_ledger() -> None:
    both = {"SLAC_STORE": "/store", "SLAC_DATABASE_URL": "postgresql://ledger"}
    assert is_mounted(both)
    assert not any(is_mounted({**both, name: " "}) for name in both)
    # A service of their own has accounts: then they stand behind no other login.
    assert not is_mounted({**both, "SLAC_WEB_URL": "https://slac.example"})


def test_without_pages_a_task_has_no_link() -> None:
    assert [task(stage).operator_extra_links for stage in PAGES] == [()] * len(PAGES)


def test_pages_behind_airflows_login_are_led_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLAC_STORE", "/store")
    monkeypatch.setenv("SLAC_DATABASE_URL", "postgresql://ledger")
    made = task("judge")
    (link,) = made.operator_extra_links
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example/team/")
    assert link.get_link(made, ti_key=None) == "https://airflow.example/team/slac/quality"


# Airflow's own loading of plugins uses a name that its library has deprecated.
@pytest.mark.filterwarnings("ignore:GitWildMatchPattern:DeprecationWarning")
def test_a_mapped_task_has_its_link_in_the_ui_and_a_stage_without_a_page_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLAC_WEB_URL", "https://slac.example")
    with DAG("mapped", schedule=None) as dag:
        slac("judge", each=plan("judge", kind=PlanSome))
    found = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    assert list(found.get_task("judge").operator_extra_link_dict) == ["Quality"]
    assert list(found.get_task("plan").operator_extra_link_dict) == []


def test_a_mapped_task_that_fails_before_it_has_an_item_can_be_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLAC_WEB_URL", "https://slac.example")
    with DAG("mapped", schedule=None):
        todo = plan("judge", kind=PlanSome)
        tasks = [slac(stage, each=todo) for stage in ("judge", "publish", "release", "discover")]
    # So Airflow goes through them when a task ends, whatever became of it.
    assert [link.get_link(operator=one, ti_key=None) for one in tasks for link in one.operator_extra_links] == [
        "https://slac.example/quality", "https://slac.example/clips", "https://slac.example/releases",
    ]  # fmt: skip


def test_airflows_home_gets_a_welcome_that_it_can_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLAC_WEB_URL", "https://slac.example")
    made = runpy.run_path(str(ROOT / "plugins" / "slac_plugin.py"))["SlacPlugin"]()
    (entry,) = made.external_views
    assert (entry["href"], entry["destination"]) == ("https://slac.example/review", "nav")
    (view,) = made.react_apps
    assert view["destination"] == "dashboard"
    airflow = FastAPI()
    for each in made.fastapi_apps:
        airflow.mount(each["url_prefix"], each["app"])
    answer = TestClient(airflow, base_url="http://airflow").get("/" + view["bundle_url"])
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert parse_qs(urlsplit(view["bundle_url"]).query) == {"pages": ["https://slac.example"]}
    named = set(re.findall(r'\["(\w+)", "', answer.text))
    assert named == {path.stem for path in (ROOT / "dags").glob("*.py")} | {"review", "funnel", "desk"}


def test_the_nav_has_one_entry_with_an_icon_of_its_own() -> None:
    from slac_plugin import _views

    (entry,) = _views("https://slac.example")
    assert entry["href"] == "https://slac.example/review"
    for icon in (entry["icon"], entry["icon_dark_mode"]):
        kind, _, drawing = icon.partition(",")
        assert kind == "data:image/svg+xml;base64"
        assert ElementTree.fromstring(base64.b64decode(drawing)).tag.endswith("svg")


def test_a_question_leads_to_the_clips_and_says_what_silence_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLAC_WEB_URL", "https://slac.example")
    *links, silence = _where_to_decide(["tai_chi"])
    assert links == [
        "[See its clips at the decision desk](https://slac.example/desk?of=tai_chi). A decision there counts too."
    ]
    assert "nothing is decided" in silence
