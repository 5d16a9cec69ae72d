"""The documentation as a site: built strictly, without a network, complete by itself."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from slac_tasks import cli
from slac_tasks.config import Config
from slac_tasks.procedure import STAGES
from slac_tasks.settings import sections_of
from slac_tasks.storage.datasets import ALL

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site. MkDocs checks each link and anchor inside it; `strict` of mkdocs.yml makes a warning a failure."""
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)]
    # A proxy that nobody serves: whatever asks for something from elsewhere fails.
    nowhere = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    environ = {**os.environ, **nowhere, "NO_MKDOCS_2_WARNING": "1"}
    ended = subprocess.run(build, cwd=ROOT, env=environ, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert "WARNING" not in ended.stderr
    return folder


def test_the_readme_is_one_screen() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 45, "what is more than one screen is a page of docs/"


def test_a_page_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        asked = re.findall(r'<(?:script|img|iframe)[^>]* src="([^"]+)"|<link[^>]* rel="stylesheet"[^>]* href="([^"]+)"',
                           page.read_text())  # fmt: skip
        outside = [one for both in asked for one in both if re.match(r"(https?:)?//", one)]
        assert not outside, page


def test_the_reference_has_every_verb_setting_and_dataset(site: Path) -> None:
    verbs, tables, datasets = (
        (site / "reference" / f"{name}.html").read_text() for name in ("commands", "settings", "datasets")
    )
    for verb in (*STAGES, *cli.COMMANDS):
        assert f"<code>slac {verb}</code>" in verbs
    for table in sections_of(Config):
        assert f"<code>[{table}]</code>" in tables
    for name, dataset in ALL.items():
        assert f"<code>{name}</code>" in datasets
        assert all(f"<code>{column.name}</code>" in datasets for column in dataset.columns)


def test_a_page_is_in_the_nav_by_its_folder_alone(site: Path) -> None:
    home = (site / "index.html").read_text()
    for page in (ROOT / "docs").rglob("*.md"):
        address = page.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
        assert f'href="{address}"' in home, f"{page}: is in no menu"
