"""Prove that a release is what it says: bytes, hash, counts, splits, files; and decode a sample of its clips.

slac release verify r0001                         20 clips are decoded, drawn by a fixed hash; no address is asked
slac release verify r0001 --decode 500 --links 200
slac release verify r0001 --json

What is wrong ends with 65. Clips of videos that were withdrawn since, and addresses that are gone (`slac recheck` asks
for all of them), are counted and are no fault of the release. Reads the store alone.
"""

import argparse
import hashlib
import heapq
import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from slac_tasks import config
from slac_tasks.admission.withdrawals import TAKEN_DOWN, Withdrawals
from slac_tasks.collect.locations import Access
from slac_tasks.commands import recheck
from slac_tasks.errors import BrokenContract
from slac_tasks.given.flags import whole
from slac_tasks.intervals import wilson
from slac_tasks.model import unit_hash
from slac_tasks.progress import counted, track
from slac_tasks.release.finished import need_release
from slac_tasks.release.verifying import Check, checks
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.store import Store
from slac_tasks.storage.tables import Datasets

_CLIP = ("clip_id", "video_id", "source_id", "start_sec", "proxy_256", "proxy_sha256")
_FRAMES, _PIXELS = 8, 112


@dataclass(frozen=True, kw_only=True)
class _Clip:
    clip_id: str
    video_id: str
    source_id: str
    start_sec: float
    proxy_256: str
    proxy_sha256: str | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("release", help="key of the release, e.g. r0001")
    parser.add_argument("--decode", type=whole(0), default=20, help="clips that are decoded; default: %(default)s")
    parser.add_argument("--links", type=whole(0), default=0, help="videos whose address is asked; default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: argparse.Namespace) -> None:
    """Print one line for each check.

    Raises:
        BrokenContract: something is wrong.

    """
    loaded = config.load()
    datasets = Datasets(open_store(loaded.store_url))
    found = list(checks(datasets, arguments.release))
    _, rows = need_release(datasets, arguments.release)
    if found[0].ok and arguments.decode:
        found.append(decoded(datasets, rows, arguments.decode))
    if found[0].ok and arguments.links:
        access = Access(collect=loaded.collect, fetch=loaded.fetch, environ=os.environ)
        found.append(links(datasets, arguments.release, arguments.links, access))
    if arguments.json:
        print(json.dumps({"release": arguments.release, "checks": [asdict(check) for check in found]}, indent=1))
    else:
        for check in found:
            print(f"{'ok' if check.ok else 'WRONG':<6}{check.name:<24}{check.found}")
    wrong = [check for check in found if not check.ok]
    if wrong:
        raise BrokenContract(f"release {arguments.release}: {wrong[0].name}: {wrong[0].found}")


def decoded(datasets: Datasets, rows: Manifest, sample: int) -> Check:
    """Decode a sample of the clips, and compare the renditions with what people saw."""
    withdrawals = Withdrawals.read(datasets.store)
    gone, faults = 0, []
    chosen = _sample(datasets, rows, sample)
    for clip in track(chosen, len(chosen), "decode"):
        if withdrawals.covers(clip):
            gone += 1
        elif fault := _fault(datasets.store, clip):
            faults.append(f"{clip.clip_id}: {fault}")
    good = len(chosen) - gone - len(faults)
    says = f"{good:,} of {counted(len(chosen), 'clip')} decoded" + (f", {gone:,} withdrawn since" if gone else "")
    return Check(name="media", ok=not faults, found="; ".join([says, *faults[:3]]))


def _fault(store: Store, clip: _Clip) -> str | None:
    """Return what is wrong with a clip's rendition."""
    # The decoder is loaded only where something is decoded.
    from slac_tasks.video.frames import read_clips

    try:
        with store.local(clip.proxy_256) as path:
            with open(path, "rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if clip.proxy_sha256 not in (None, found):
                return f"{clip.proxy_256} was altered, found sha256 {found[:16]}, want {str(clip.proxy_sha256)[:16]}"
            read_clips(path, [clip.start_sec], frames=_FRAMES, size=_PIXELS)
    except BrokenContract as error:
        return str(error)
    return None


def _sample(datasets: Datasets, rows: Manifest, size: int) -> list[_Clip]:
    """Return so many clips, the same at every call, video by video."""

    def every() -> Iterator[_Clip]:
        for table in datasets.tables(rows, _CLIP):
            for values in zip(*(table[name].to_pylist() for name in _CLIP), strict=True):
                yield _Clip(**dict(zip(_CLIP, values, strict=True)))

    chosen = heapq.nsmallest(size, every(), key=lambda clip: unit_hash("verify", clip.clip_id))
    return sorted(set(chosen), key=lambda clip: clip.clip_id)


def links(datasets: Datasets, release: str, sample: int, access: Access) -> Check:
    """Ask for a sample of the videos at their addresses."""
    rows = recheck.sampled(recheck.videos(datasets, release), sample)
    counts = Counter(one.reason for one in recheck.ask(rows, access, Withdrawals.read(datasets.store)))
    gone = counts.pop(TAKEN_DOWN, 0)
    good, asked = counts[recheck.FETCHABLE], counts.total()
    low, high = wilson(good, asked)
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in counts.most_common() if reason != recheck.FETCHABLE)
    says = f"{good:,} of {counted(asked, 'video')} could be fetched (95 % interval {low:.1%} to {high:.1%})"
    return Check(
        name="links", ok=True, found=says + (f"; {reasons}" if reasons else "") + f"; {gone:,} withdrawn since"
    )
