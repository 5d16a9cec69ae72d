"""Asks for known vulnerabilities of what the locks name: `python .ci/audit.py <lock> ...`.

Ends with 0 where none is known, 1 where one is, and 75 where nobody could be asked: without a network, or behind a
mirror of the package index that has no advisories. A package that nobody could be asked about is never taken for a safe
one.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

VULNERABLE, UNREACHABLE = 1, 75


def ask(lock: str) -> list[dict[str, Any]]:
    """Return what pip-audit says of each package of a lock; empty where it could not ask."""
    program = shutil.which("pip-audit", path=str(Path(sys.executable).parent)) or "pip-audit"
    ended = subprocess.run(
        [program, "--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json", "-r", lock],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        found: list[dict[str, Any]] = json.loads(ended.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = (ended.stderr.strip().splitlines() or ["no answer"])[-1]
        print(f"audit: {lock}: {last[:300]}", file=sys.stderr)
        return []
    return found


def main(locks: list[str]) -> int:
    """Print a line for each vulnerability, and what came of it all as the last line."""
    known: set[str] = set()
    asked = unasked = 0
    for lock in locks:
        packages = ask(lock)
        unasked += sum("skip_reason" in package for package in packages) or not packages
        asked += sum("skip_reason" not in package for package in packages)
        for package in packages:
            for one in package.get("vulns", ()):
                fixed = ", ".join(one["fix_versions"]) or "no version"
                known.add(f"{package['name']} {package['version']}: {one['id']}, mended in {fixed}")
    for line in sorted(known):
        print(line)
    if known:
        print(f"audit: {len(known)} known vulnerabilities")
        return VULNERABLE
    if unasked:
        print(
            f"audit: SKIPPED, nothing is known of {unasked} packages or locks: no advisories can be reached from here"
        )
        return UNREACHABLE
    print(f"audit: no known vulnerability in {asked} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
