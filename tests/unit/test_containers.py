"""The images and the compose file: linted, complete, without secrets, and every step tried. No Docker is needed."""

import fnmatch
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import grimp
import pytest
import yaml

from slac_tasks import config
from slac_tasks.procedure import STAGES

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
IMAGES = sorted((ROOT / "docker").glob("*.Dockerfile"))
COMPOSE = ROOT / "docker-compose.yaml"


def run(*words: str | Path, **kwargs) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, words)), capture_output=True, text=True, cwd=ROOT, **kwargs)


CPU = {"LOCK": "requirements-cpu.lock"}
"""Arguments of the build that make the task image without torch."""


def stages(image: Path, **arguments: str) -> list[list[tuple[str, str]]]:
    """The (instruction, rest) pairs of each build stage; what stands before the first FROM is left out."""
    text = re.sub(r"\\\n(\s*#.*\n)*", " ", re.sub(r"^#.*\n", "", image.read_text(), flags=re.M))
    for name, value in re.findall(r"^ARG (\w+)=(\S+)", text, flags=re.M):
        text = text.replace(f"${{{name}}}", arguments.get(name, value))
    found: list[list[tuple[str, str]]] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        instruction, _, rest = line.partition(" ")
        if instruction == "FROM":
            found.append([])
        if found:
            found[-1].append((instruction, rest.strip()))
    return found


def services() -> dict[str, dict]:
    return yaml.safe_load(COMPOSE.read_text())["services"]


@pytest.mark.parametrize("image", IMAGES, ids=lambda path: path.name)
def test_dockerfiles_are_clean(image: Path) -> None:
    lint = run(BIN / "hadolint", "--failure-threshold", "style", image)
    assert lint.returncode == 0, lint.stdout


def test_the_compose_file_follows_its_schema() -> None:
    check = run(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE)
    assert check.returncode == 0, check.stdout + check.stderr


def test_yaml_is_clean() -> None:
    charts = (ROOT / "docker" / "chart").rglob("*.yaml")
    values = [path for path in charts if path.parent.name != "templates"]
    lint = run(BIN / "yamllint", "--strict", COMPOSE, ".yamllint", ".hadolint.yaml", *values)
    assert lint.returncode == 0, lint.stdout


@pytest.mark.parametrize("image", IMAGES, ids=lambda path: path.name)
def test_images_run_as_nobody_special_from_several_stages(image: Path) -> None:
    found = stages(image)
    assert len(found) >= 2
    assert [rest for instruction, rest in found[-1] if instruction == "USER"][-1] == "50000:0"


@pytest.mark.parametrize("image", IMAGES, ids=lambda path: path.name)
def test_what_is_copied_exists_and_is_let_through(image: Path) -> None:
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for instruction, rest in chain.from_iterable(stages(image)):
        if instruction == "COPY" and "--from" not in rest:
            for source in shlex.split(rest)[:-1]:
                assert (ROOT / source).exists(), source
                assert any(source == name or source.startswith(f"{name}/") for name in allowed), source


def names(lock: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / lock).read_text(), flags=re.M))


def test_each_image_is_without_the_others_weight() -> None:
    control, work = names("requirements-airflow.lock"), names("requirements-task.lock")
    processors = names("requirements-cpu.lock")
    assert processors < work
    assert not [name for name in processors if name.startswith(("torch", "nvidia-", "triton", "transformers"))]
    assert not control & {"torch", "torchvision", "pandas", "great-expectations", "opencv-python-headless", "av"}
    assert not [name for name in work if "airflow" in name]
    assert {"apache-airflow", "apache-airflow-providers-cncf-kubernetes", "psycopg2-binary", "minio"} <= control
    assert {"torch", "torchvision", "psycopg2-binary", "minio", "uvicorn"} <= work


@pytest.mark.parametrize("lock", sorted(ROOT.glob("requirements*.lock")), ids=lambda path: path.name)
def test_locks_hold_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"https?://|--index|--find-links", text)
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.M)[1:]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)


def test_what_asks_for_no_gpu_runs_without_torch() -> None:
    graph = grimp.build_graph("slac_tasks", include_external_packages=True, cache_dir=None)
    stages = [f"stages.{stage.name}" for stage in STAGES.values() if not stage.machine.gpus]
    for name in (*stages, *(f"commands.{verb}" for verb in ("web", "migrate", "register", "annotator", "gc", "show"))):
        for package in ("torch", "torchvision", "safetensors"):
            chain = graph.find_shortest_chain(f"slac_tasks.{name}", package)
            # The detector that needs them is off by default, and says so where they are missing.
            assert chain is None or "slac_tasks.networks.person_detectors" in chain, chain


def steps(image: Path, **arguments: str) -> list[str]:
    """RUN steps in order, without their mounts; a stage starts in the folder that its WORKDIR names."""
    found, folder = [], "/"
    for instruction, rest in chain.from_iterable(stages(image, **arguments)):
        folder = rest if instruction == "WORKDIR" else "/" if instruction == "FROM" else folder
        if instruction == "RUN":
            found.append(f"cd {folder} && {re.sub(r'--mount=[^ ]+ ', '', rest)}")
    return found


@pytest.mark.skipif(os.geteuid() != 0, reason="steps of a build run as root: files are given to user 50000")
@pytest.mark.parametrize(
    ("image", "arguments"),
    [
        *((path, {}) for path in IMAGES if "RUN" in path.read_text()),
        (ROOT / "docker" / "task.Dockerfile", CPU),
    ],
    ids=lambda one: one.name if isinstance(one, Path) else one.get("LOCK", ""),
)
def test_every_step_runs_in_a_clean_folder(image: Path, arguments: dict[str, str], tmp_path: Path) -> None:
    # The same commands with /opt, /home and /build moved below an empty folder. uv takes the wheels from the cache that
    # `make setup` filled; what an image's base brings (Debian's files) is not tried.
    root = tmp_path / "root"
    (root / "build").mkdir(parents=True)
    (root / "opt/slac").mkdir(parents=True)
    for instruction, rest in chain.from_iterable(stages(image, **arguments)):
        if instruction == "COPY" and "--from" not in rest:
            *sources, target = shlex.split(rest)
            for source in sources:
                place = root / "build" / source if target == "./" else root / "opt/slac" / target
                place.parent.mkdir(parents=True, exist_ok=True)
                ignored = shutil.ignore_patterns("__pycache__")
                where = ROOT / source
                shutil.copytree(where, place, ignore=ignored) if where.is_dir() else shutil.copy(where, place)
    venv = "task-venv" if image.name.startswith("task") else "airflow-venv"
    environ = {
        "PATH": f"{root}/opt/{venv}/bin:{BIN}:/usr/bin:/bin",
        "HOME": os.environ["HOME"],
        **{name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_", "OPENBLAS_"))},
    }
    for step in steps(image, **arguments):
        moved = re.sub(r"(?<![\w.])/(opt|home|build)\b", rf"{root}/\1", step)
        # An image has the Python of its base; these folders have that of the tests.
        moved = moved.replace("/python3.11/", f"/python{sys.version_info[0]}.{sys.version_info[1]}/")
        tried = subprocess.run(["sh", "-c", moved], env=environ, capture_output=True, text=True)
        assert tried.returncode == 0, f"{step}\n{tried.stdout[-2000:]}{tried.stderr[-4000:]}"
    python = root / "opt" / venv / "bin" / "python"
    probe = "import importlib.util as u; print(*(n for n in ('torch', 'pandas', 'airflow') if u.find_spec(n)))"
    held = subprocess.run([python, "-c", probe], env=environ, capture_output=True, text=True, check=True, cwd=tmp_path)
    work = ["pandas"] if arguments else ["torch", "pandas"]
    assert held.stdout.split() == (work if venv == "task-venv" else ["airflow"])
    slac = subprocess.run(
        [python.with_name("slac"), "--help"], env=environ, capture_output=True, text=True, cwd=tmp_path
    )
    assert slac.returncode == 0, slac.stderr
    assert "Find and fetch videos:" in slac.stdout
    shutil.rmtree(root)


def test_airflow_and_python_agree_with_what_is_locked() -> None:
    base = re.search(r"ARG BASE=python:(\d+\.\d+)", (ROOT / "docker" / "airflow.Dockerfile").read_text())
    assert base
    assert f"--python-version {base[1]}" in (ROOT / "requirements-airflow.lock").read_text()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    tags = set(re.findall(r"slac-(?:airflow|task|local):([\w.]+)", COMPOSE.read_text()))
    assert tags == {version}


def test_no_secret_stands_in_a_file() -> None:
    pattern = re.compile(r"^ *([A-Z_0-9]*(?:PASSWORD|SECRET|_KEY)[A-Z_]*)[:=] *(\S+)", re.M)
    for path in [COMPOSE, *IMAGES, ROOT / ".env.example"]:
        for name, value in pattern.findall(path.read_text()):
            plain = name.endswith("_FILE") or value.startswith(("${", "#"))
            assert plain, f"{path.name}: {name} has a value"
    assert not re.search(r"://[^$\s/]+:[^$@\s]+@", COMPOSE.read_text())


def test_the_example_names_every_setting_of_the_compose_file() -> None:
    text, example = COMPOSE.read_text(), (ROOT / ".env.example").read_text()
    assert set(re.findall(r"^([A-Z0-9_]+)=$", example, flags=re.M)) == set(re.findall(r"\$\{(\w+):\?", text))
    optional = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", text))
    assert dict(re.findall(r"^#([A-Z0-9_]+)=(.*)$", example, flags=re.M)) == optional


def test_services_are_watched_restarted_and_start_in_order() -> None:
    found = services()
    once = {"migrate", "bucket"}
    for name, service in found.items():
        assert service["restart"] == ("on-failure:3" if name in once else "unless-stopped"), name
        # The S3 image is anybody's: `bucket`, for which its users wait, is its check.
        assert "healthcheck" in service or name in once | {"s3"}, name
        for other, how in service.get("depends_on", {}).items():
            want = "service_completed_successfully" if other in once else "service_healthy"
            assert how["condition"] == ("service_started" if other == "s3" else want), (name, other)
    for name in ("api-server", "dag-processor", "triggerer"):
        assert not [key for key in found[name]["environment"] if key.startswith(("SLAC_", "AWS_"))], name
    for name, service in found.items():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:") or name == "proxy", "published on this machine alone, but for TLS"


def test_services_write_into_their_volumes_alone_and_have_limits() -> None:
    for name, service in services().items():
        # The S3 image is anybody's.
        assert service["read_only"] is (name != "s3"), name
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["mem_limit"], name
        assert service["pids_limit"] >= 100
        written = [volume for volume in service.get("volumes", ()) if not volume.endswith(":ro")]
        assert not [volume for volume in written if volume.startswith((".", "/", "$"))], "a folder of the host is read"


def test_the_machine_that_works_is_a_profile_and_all_else_is_the_same() -> None:
    found = services()
    assert {name: one["profiles"] for name, one in found.items() if "profiles" in one} == {
        "scheduler": ["cpu"], "scheduler-gpu": ["gpu"], "proxy": ["tls"],
    }  # fmt: skip
    processors, cards = ({**found[name], "profiles": []} for name in ("scheduler", "scheduler-gpu"))
    (device,) = cards.pop("deploy")["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]
    assert processors == cards
    assert "COMPOSE_PROFILES=cpu\n" in (ROOT / ".env.example").read_text()


def test_compose_understands_its_file() -> None:
    if shutil.which("docker") is None or run("docker", "compose", "version").returncode:
        pytest.skip("docker compose: absent on this machine")
    names = re.findall(r"^([A-Z0-9_]+)=$", (ROOT / ".env.example").read_text(), flags=re.M)
    given = {**os.environ, **dict.fromkeys(names, "x")}
    for profile in ("cpu", "gpu", "tls"):
        understood = run("docker", "compose", "--profile", profile, "config", "--quiet", env=given)
        assert understood.returncode == 0, understood.stderr


def test_whoever_has_the_store_has_the_same_settings() -> None:
    read = {
        name: (service["environment"].get("SLAC_CONFIG"), [v for v in service.get("volumes", ()) if "slac.toml" in v])
        for name, service in services().items()
        if "SLAC_STORE" in service.get("environment", ())
    }
    assert set(read) >= {"scheduler", "web"}
    assert set(map(repr, read.values())) == {
        repr(("/etc/slac/slac.toml", ["./docker/slac.toml:/etc/slac/slac.toml:ro"]))
    }


def test_the_settings_of_the_compose_file_load() -> None:
    environ = {"SLAC_STORE": "/store", "SLAC_CONFIG": str(ROOT / "docker" / "slac.toml")}
    assert config.load(environ).collect.sources == ("/videos",)


def test_scripts_are_sound_and_mounted_files_exist() -> None:
    assert run("bash", "-n", "docker/databases.sh").returncode == 0
    assert run("bash", "-n", ".ci/run").returncode == 0
    for service in services().values():
        for volume in service.get("volumes", ()):
            if volume.startswith("./"):
                assert (ROOT / volume.partition(":")[0]).is_file(), volume


def test_nothing_but_what_is_named_enters_an_image() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    assert not [line for line in lines if fnmatch.fnmatch(".env", line.removeprefix("!")) and line.startswith("!")]
