"""The loop under a real Airflow, once undisturbed and once with SIGKILL in the middle: the same labels and release.

Then a visitor comes to the undisturbed one, whose services go on running, and plays what its terminal says, in a real
browser. With SCREENSHOTS=<folder> the pages are saved there as they looked.

Takes several minutes, so it runs in CI, and elsewhere with SLAC_ACCEPTANCE=1.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import expect
from visiting import opened_browser
from visitor import Visitor, until

from slac_tasks.launcher.state import PROJECT, Demo
from slac_tasks.launcher.subjects import GeneratedWorld
from slac_tasks.model import slug
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.versions import newest_labels, read_labels
from slac_tasks.world.catalogue import PLANTED, SPARE

pytestmark = [
    pytest.mark.skipif(
        not (os.environ.get("CI") or os.environ.get("SLAC_ACCEPTANCE")),
        reason="takes minutes: set SLAC_ACCEPTANCE=1 to run the demo twice",
    ),
    pytest.mark.timeout(2100),
]


PORTS = {"calm": "28981", "killed": "28982"}
"""Below the range from which the system hands out ports."""


def slac(home: Path, *words: str) -> "subprocess.Popen[str]":
    environ = os.environ | {"SLAC_HOME": str(home)}
    command = [sys.executable, "-m", "slac_tasks.cli", *words]
    return subprocess.Popen(
        command, env=environ, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def start(home: Path) -> "subprocess.Popen[str]":
    """Start the smallest demo, on a port of its own: two that start at once would both find the usual one free."""
    return slac(home, "demo", "--size", "quick", "--port", PORTS[home.parent.name.rstrip("0123456789")])


def demo(home: Path) -> tuple[int, str]:
    """Run the smallest demo to its end."""
    process = start(home)
    text, _ = process.communicate(timeout=1800)
    return process.returncode, text


def stage_of(home: Path, stage: str) -> int | None:
    """Return the process id of a running stage of this demo."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            environ = (folder / "environ").read_bytes()
        except OSError:
            continue
        of_a_window = any(word.startswith(b"--window=") for word in words)
        if stage.encode() in words[1:4] and of_a_window and str(home).encode() in environ:
            return int(folder.name)
    return None


def disturbed(home: Path) -> tuple[int, str]:
    """Kill the scheduler and a running stage, then start again."""
    process = start(home)
    deadline = time.monotonic() + 600
    while (stage := stage_of(home, "bootstrap")) is None:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "no bootstrap in ten minutes"
        time.sleep(0.2)
    scheduler = int((home / "quick" / "logs" / "scheduler.pid").read_text().split()[0])
    os.kill(scheduler, signal.SIGKILL)
    os.kill(stage, signal.SIGKILL)
    text, _ = process.communicate(timeout=120)
    assert process.returncode == 75, text
    assert "scheduler has ended" in text
    return demo(home)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Path, int, str]]]:
    homes = {name: tmp_path_factory.mktemp(name) / "home" for name in ("calm", "killed")}
    try:
        with ThreadPoolExecutor() as pool:
            both = {"calm": pool.submit(demo, homes["calm"]), "killed": pool.submit(disturbed, homes["killed"])}
            yield {name: (homes[name], *both[name].result()) for name in homes}
    finally:
        for home in homes.values():
            slac(home, "down", "--remove").communicate(timeout=180)
            shutil.rmtree(home, ignore_errors=True)


def labels(home: Path) -> list[tuple[object, ...]]:
    """Return what people decided, without when."""
    datasets = Datasets(open_store(str(home / "quick" / "store"), {}))
    newest = newest_labels(datasets)
    assert newest is not None
    rows = read_labels(datasets, newest).to_pylist()
    return sorted((row["clip_id"], row["category"], row["status"], row["label"]) for row in rows)


def exports(home: Path) -> dict[str, str]:
    """Return the HACS files of every release."""
    folder = home / "quick" / "store" / "release"
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*.csv"))}


@pytest.mark.parametrize("name", ["calm", "killed"])
def test_the_loop_closes(runs: dict[str, tuple[Path, int, str]], name: str) -> None:
    _, code, text = runs[name]
    assert code == 0, text
    assert "verified" in text
    assert "backfill" in text
    assert " manual " not in text


def test_a_kill_changes_no_label_and_no_release(runs: dict[str, tuple[Path, int, str]]) -> None:
    calm, killed = runs["calm"][0], runs["killed"][0]
    assert labels(calm)
    assert labels(calm) == labels(killed)
    assert exports(calm)
    assert exports(calm) == exports(killed)


def test_a_second_demo_finds_everything_finished(runs: dict[str, tuple[Path, int, str]]) -> None:
    code, text = demo(runs["calm"][0])
    assert code == 0, text
    assert "everything finished already" in text


@pytest.fixture(scope="module")
def visitor(runs: dict[str, tuple[Path, int, str]]) -> Iterator[Visitor]:
    """A visitor of the undisturbed demo; the other one has nothing more to show."""
    slac(runs["killed"][0], "down").communicate(timeout=180)
    home, _, said = runs["calm"]
    with pytest.MonkeyPatch.context() as patch, opened_browser() as browser:
        patch.setenv("SLAC_HOME", str(home))
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        # Beside all that a demo does, Airflow's pages may take a minute to come.
        context.set_default_timeout(180_000)
        expect.set_options(timeout=180_000)
        yield Visitor(said=said, demo=Demo(subject=GeneratedWorld(size="quick")), page=context.new_page())
        expect.set_options(timeout=5_000)


def test_a_first_visit_succeeds(visitor: Visitor, record_property: Callable[[str, object], None]) -> None:
    page = visitor.page
    early = re.search(r"You can answer now, (\d+) s after the start", visitor.said)
    assert early, visitor.said
    assert early.start() < visitor.said.index("Your turn")
    record_property("first_answer_sec", int(early[1]))

    visitor.open(visitor.address("Review"))
    begin = page.locator("#welcome").get_by_role("button", name="Begin")
    expect(begin).to_be_visible()
    visitor.look("welcome")
    begin.click()
    visitor.answer("ynynynynyn")
    visitor.look("review")
    (pace,) = visitor.ledger.rows("web_pace", annotator="admin")
    assert pace["today"] == 10

    visitor.open(visitor.address("Decide"))
    expect(page.get_by_text(f"Use the labels of {PLANTED.name} although they were refused?").first).to_be_visible()
    desk = page.get_by_role("link", name="See its clips at the decision desk")
    expect(desk).to_be_visible()
    visitor.look("question")
    visitor.open(str(desk.get_attribute("href")))
    expect(page.get_by_role("heading", name=PLANTED.name)).to_contain_text("undecided")
    visitor.sees_a_preview()
    visitor.look("desk")
    visitor.open(visitor.address("Decide"))
    page.locator("[name=element_reason]").fill("I have seen its clips, and they are right.")
    page.get_by_test_id("hitl-option-approve").click()

    until(lambda: (visitor.ledger.one("last_release") or {}).get("release") == "r0002", "a second release")
    visitor.open(visitor.address("Report"))
    expect(page.get_by_role("row", name=PLANTED.name).first).to_contain_text("approved")
    visitor.look("quality")
    visitor.open(visitor.address("Release"))
    expect(page.locator(".release h2").first).to_contain_text("r0002")
    visitor.sees_a_preview()
    visitor.look("releases")


def of(category: str, files: dict[str, str]) -> dict[str, str]:
    """Return the files of one category, but for its measures: each version of the labels may have some of all."""
    own = f"category={category}/"
    return {name: seen for name, seen in files.items() if own in name and not name.startswith("measures/")}


@pytest.fixture
def asked(visitor: Visitor) -> str:
    """The category about which the visitor is asked."""
    return visitor.address("Review").rpartition("=")[2]


def categories(visitor: Visitor) -> set[str]:
    return {str(row["category"]) for row in visitor.ledger.rows("categories")}


def test_another_committee_scores_one_category_and_touches_no_other(visitor: Visitor, asked: str) -> None:
    visitor.wait_for("pretrain")
    # The network of the first release has left with the second one: nothing is mined by its scores.
    joined = [row for row in visitor.ledger.rows("committees") if str(row["origin"]).startswith("release:")]
    before = visitor.files()
    run = visitor.trigger("score_again", category=asked, committee=joined[-1]["committee"])
    visitor.wait_for("score_again")
    after = visitor.files()
    assert visitor.runs("score_again") == {run: "success"}
    assert visitor.mapped("score_again", run) == {f"score {asked} · 2026-01-05"}
    for other in categories(visitor) - {asked}:
        assert of(other, after) == of(other, before)
    assert of(asked, before).items() <= of(asked, after).items()
    assert any(name.startswith("scores/") for name in of(asked, after).keys() - of(asked, before).keys())


def test_a_category_that_is_added_by_form_touches_no_other(visitor: Visitor, asked: str) -> None:
    visitor.wait_for("pretrain")
    added, others = slug(SPARE.name), categories(visitor) - {asked}
    scored = visitor.runs("score_clips").keys()
    before = visitor.files()
    run = visitor.trigger("add_category", category=SPARE.name)
    # Work for another category at the same time: its last clips are answered, collected and judged.
    answer_as_another(visitor, asked)

    def waiting() -> set[str]:
        return {str(row["category"]) for row in visitor.ledger.rows("open_by_category")}

    until(lambda: added in waiting(), f"clips of {added} in the queue")
    after = visitor.files()
    visitor.wait_for("add_category")
    visitor.wait_for("score_clips")
    assert visitor.runs("add_category") == {run: "success"}
    windows = set(re.findall(r"^videos/.*/window=([^/]+)/", "\n".join(before), flags=re.M))
    assert visitor.mapped("add_category", run) == {
        f"{task} {added} · {window}" for task in ("discover", "fetch") for window in windows
    }
    new = visitor.runs("score_clips").keys() - scored
    assert {name.split()[1] for one in new for name in visitor.mapped("score_clips", one)} == {added}
    for other in others:
        assert of(other, after) == of(other, before)
    assert of(asked, before).items() <= of(asked, after).items()
    assert any(name.startswith(("labels/", "label_changes/")) for name in after.keys() - before.keys())
    kept = {name: seen for name, seen in before.items() if name.startswith(("media/", "measures/"))}
    assert kept.items() <= after.items()


def answer_as_another(visitor: Visitor, category: str) -> None:
    """Answer the clips of a category that still wait for one more person."""
    clips = [row for row in visitor.ledger.rows("open_clips") if row["category"] == category]
    assert clips
    visitor.ledger.run("ensure_annotator", annotator="reviewer1")
    visitor.ledger.run_many(
        "cast_vote",
        [
            {"vote_id": str(uuid.uuid4()), "clip_id": clip["clip_id"], "category": category,
             "annotator": "reviewer1", "answer": "yes", "seconds": 3.0, "guideline_version": clip["guideline_version"],
             "supersedes": None, "set_id": None}
            for clip in clips
        ],
    )  # fmt: skip
