"""Every command that the tutorial shows: typed as it stands there, in its order."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "tutorial"

ELSEWHERE = {"make demo": "demo", "make down": "down"}
"""Commands that take minutes and a whole Airflow, each with the verb by which `test_demo.py` runs them."""


def typed(page: str) -> list[str]:
    """Return the lines of the shell that a page shows."""
    blocks = re.findall(r"```sh\n(.*?)```", (PAGES / page).read_text(), flags=re.S)
    return [line for block in blocks for line in block.splitlines()]


def test_every_command_by_hand_works(tmp_path: Path, database_url: str) -> None:
    for number, category in enumerate(("judo", "polo")):
        video = tmp_path / "videos" / category / "a.mp4"
        video.parent.mkdir(parents=True)
        pictures = ["-f", "lavfi", "-i", f"mandelbrot=s=160x120:r=24:start_scale={number + 1}"]
        ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *pictures, "-t", "5", "-pix_fmt", "yuv420p"]
        subprocess.run([*ffmpeg, str(video)], check=True)
    script = "\n".join(["set -euo pipefail", *typed("by-hand.md")])
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environ = {"PATH": path, "HOME": str(tmp_path), "LANG": "C.UTF-8", "SLAC_DATABASE_URL": database_url}
    ended = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    first, last = (json.loads(line) for line in ended.stdout.splitlines() if line.startswith("["))
    assert sorted(name for item in first for name in item["category"]) == ["judo", "polo"]
    assert [item["category"] for item in last] == [["judo"]]


def test_every_other_command_is_run_by_another_test() -> None:
    demo = (ROOT / "tests" / "acceptance" / "test_demo.py").read_text()
    by_hand = typed("by-hand.md")
    for line in [line for page in PAGES.glob("*.md") if page.name != "by-hand.md" for line in typed(page.name)]:
        if line in ELSEWHERE:
            verb = ELSEWHERE[line]
            target = re.search(rf"(?m)^{verb}:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text())
            assert target, line
            assert f"$(BIN)/slac {verb}" in target[1]
            assert f'"{verb}"' in demo
        else:
            assert line.removeprefix(".venv/bin/") in by_hand, f"{line}: no test runs it"
