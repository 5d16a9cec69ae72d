"""axe-core, which looks for what keeps people out of a page: fetched once from npm into this account's cache."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from conftest import absent

VERSION = "4.14.1"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "slac-tests" / f"axe-core-{VERSION}"
_FETCH_SEC = 300


@cache
def source() -> str:
    """Return the script; a machine without npm, or without a way to it, skips the test by name and fails it in CI."""
    script = _CACHE / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        npm = shutil.which("npm")
        if npm is None:
            absent("npm (axe-core)")
        words = [npm, "install", "--prefix", str(_CACHE), "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        try:
            subprocess.run(
                [*words, f"axe-core@{VERSION}"], check=True, capture_output=True, text=True, timeout=_FETCH_SEC
            )
        except (subprocess.SubprocessError, OSError) as failure:
            absent(f"axe-core {VERSION} from npm ({failure})")
    return script.read_text(encoding="utf-8")
