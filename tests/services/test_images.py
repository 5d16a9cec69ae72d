"""The images are built by their own Dockerfiles and start as pods do: as nobody, on a root that is read-only.

No registry is asked: the base is a Debian of the mirror that this machine uses. Each image takes minutes, so it is
built where somebody has installed what builds it. The image with torch and CUDA differs by its lock alone.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MISSING = [name for name in ("buildah", "debootstrap", "unshare") if shutil.which(name) is None]

pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"no image can be built: {', '.join(MISSING)} not installed"),
    pytest.mark.skipif(os.geteuid() != 0, reason="no image can be built: want root"),
    pytest.mark.timeout(1800),
]

# What this machine knows of certificates and of the package index is known inside of a build, and in no image.
GIVEN = [path for path in ("/etc/ssl/certs", "/etc/pip.conf") if Path(path).exists()]

READ_ONLY = (
    'mount --rbind "$1" "$1" && mount -o remount,bind,ro "$1" && mount -t tmpfs tmpfs "$1/tmp" &&'
    ' mount -t proc proc "$1/proc" && root=$1 && shift && exec chroot --userspec=50000:0 "$root" /usr/bin/env -i "$@"'
)
"""Runs a command in the folder $1 as a container does whose root is read-only; only /tmp can be written to."""


@dataclass(frozen=True)
class Builder:
    """Builds images below a folder of its own."""

    folder: Path

    def run(self, *words: str | Path) -> str:
        """Run one command of buildah; return what it printed."""
        places = ("--root", self.folder / "root", "--runroot", self.folder / "run", "--storage-driver", "vfs")
        done = subprocess.run(["buildah", *places, *words], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"buildah {words[0]}: {done.stderr[-3000:]}"
        return done.stdout.strip()

    def build(self, image: str, *arguments: str) -> "Image":
        """Build docker/<image>.Dockerfile on the base."""
        volumes = [f"--volume={path}:{path}:ro" for path in GIVEN]
        given = [f"--build-arg={argument}" for argument in ("BASE=localhost/base", *arguments)]
        self.run("build", "--quiet", "--isolation=chroot", *volumes, *given,
                 "--file", f"docker/{image}.Dockerfile", "--tag", image, ".")  # fmt: skip
        found = json.loads(self.run("inspect", "--type", "image", image))
        return Image(root=Path(self.run("mount", self.run("from", image))), config=found["OCIv1"]["config"])


@dataclass(frozen=True, kw_only=True)
class Image:
    """A built image whose files can be seen."""

    root: Path
    config: dict[str, Any]

    def started(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in it as a pod of Pod Security "restricted" with a read-only root does."""
        command = ["unshare", "--mount", "sh", "-c", READ_ONLY, "sh", self.root, *self.config["Env"], *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)

    def says(self, *words: str) -> str:
        """Return what a command prints that must end well."""
        done = self.started(*words)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    folder = tmp_path_factory.mktemp("images")
    base = folder / "base"
    packages = "--include=python3,python3-venv,ca-certificates"
    made = subprocess.run(
        ["debootstrap", "--variant=minbase", packages, "bookworm", base], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stdout[-2000:]
    (base / "usr/bin/python").symlink_to("python3")  # as in the image that the Dockerfiles name
    builder = Builder(folder)
    container = builder.run("from", "scratch")
    builder.run("add", "--quiet", container, base, "/")
    builder.run("commit", "--quiet", container, "localhost/base")
    yield builder
    builder.run("umount", "--all")
    shutil.rmtree(folder)


def is_nobody(image: Image) -> None:
    """Check that the image names a user without rights, and that what it starts writes to /tmp and nowhere else."""
    assert image.config["User"] == "50000:0"
    assert "uid=50000 gid=0" in image.says("id")
    written = [folder for folder in ("", "/opt/slac", "/home/slac", "/tmp")
               if image.started("touch", f"{folder}/x").returncode == 0]  # fmt: skip
    assert written == ["/tmp"]


def test_the_image_without_torch_works_as_nobody(builder: Builder) -> None:
    image = builder.build("task", "LOCK=requirements-cpu.lock")
    is_nobody(image)
    assert image.config["Entrypoint"] == ["slac"]
    assert "slac 0.1.0, boundary " in image.says("slac", "--version")
    assert "No module named 'torch'" in image.started("python", "-c", "import torch").stderr
    assert "want a folder or s3://" in image.started("slac", "funnel").stderr
    assert "ok       ffmpeg" in image.started("slac", "doctor").stdout


def test_the_image_of_airflow_works_as_nobody(builder: Builder) -> None:
    image = builder.build("airflow")
    is_nobody(image)
    assert image.says("airflow", "version").strip()[:2] == "3."
    for name in ("torch", "pandas", "great_expectations"):
        assert f"No module named '{name}'" in image.started("python", "-c", f"import {name}").stderr
