"""Download, check and decode each candidate once, into proxies.

Reads: dataset candidates; the bytes at their locations.
Writes: media objects media/<video_id>/<hash>-256.mp4 and -128.mp4 (and original, if kept), dataset fetched.
Safe to run again: objects are named by content, and the dataset is written last.
"""

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from slac_tasks import downloads, fingerprints, media, shots
from slac_tasks.config import Collect
from slac_tasks.datasets import CANDIDATES, FETCHED
from slac_tasks.job import Job
from slac_tasks.model import admission_order, media_video_id
from slac_tasks.progress import track
from slac_tasks.shelf import Drop
from slac_tasks.store import Store, is_disk_full


def first_of_equals(rows: Iterable[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[Drop]]:
    """Keep the first of the rows with the same bytes; drop the others."""
    kept: dict[str, dict[str, Any]] = {}
    drops = []
    for row in sorted(rows, key=admission_order):
        first = kept.setdefault(row["media_sha256"], row)
        if first is not row:
            drops.append(Drop(item=row["candidate_id"], reason="duplicate bytes", detail=first["candidate_id"]))
    return list(kept.values()), drops


def fetch_one(candidate: dict[str, Any], limits: Collect, store: Store) -> dict[str, Any]:
    """Fetch one candidate and put its proxies into the store; return its row.

    Raises:
        media.Rejected: it is set aside, with the reason.

    """
    with tempfile.TemporaryDirectory(prefix="slac-fetch-") as scratch:
        folder = Path(scratch)
        path = _bytes(candidate["location"], folder, limits)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        found = media.probe(path, limits)
        proxy = media.make_proxy(path, folder, found, limits)
        video_id = media_video_id(digest)
        proxy_digest = hashlib.sha256(proxy.path_256.read_bytes()).hexdigest()
        names = {side: f"media/{video_id}/{proxy_digest[:16]}-{side}.mp4" for side in (256, 128)}
        for side, rendition in ((128, proxy.path_128), (256, proxy.path_256)):
            if not store.exists(names[side]):
                store.put_file(names[side], rendition)
        if limits.keep_originals and not store.exists(f"media/{video_id}/original"):
            store.put_file(f"media/{video_id}/original", path)
        fields = ("candidate_id", "source", "source_id", "title", "licence", "published_at")
        return {
            **{name: candidate[name] for name in fields},
            "video_id": video_id,
            "media_sha256": digest,
            "size_bytes": path.stat().st_size,
            "codec": found.codec,
            "width": found.width,
            "height": found.height,
            "duration_sec": proxy.duration_sec,
            "fps": float(proxy.fps),
            "proxy_256": names[256],
            "proxy_128": names[128],
            "proxy_sha256": proxy_digest,
            "shots": [{"start_sec": a, "end_sec": b} for a, b in shots.shots(proxy.small, proxy.fps)],
            "frame_hashes": fingerprints.video_hashes(proxy.small, proxy.fps),
        }


def _bytes(location: str, folder: Path, limits: Collect) -> Path:
    """Return a local file with the candidate's bytes."""
    if location.startswith(("http://", "https://")):
        target = folder / "original"
        downloads.download(location, target, limits)
        return target
    path = Path(location)
    if not path.is_file():
        raise media.Rejected("gone", f"{location}: no such file")
    return path


def _tried(candidate: dict[str, Any], limits: Collect, store: Store) -> dict[str, Any] | Drop:
    """Fetch one; a failure that is the candidate's own becomes a drop."""
    try:
        return fetch_one(candidate, limits, store)
    except media.Rejected as no:
        return Drop(item=candidate["candidate_id"], reason=no.reason, detail=no.detail, retryable=no.retryable)
    except OSError as error:
        if is_disk_full(error):
            raise
        return Drop(item=candidate["candidate_id"], reason="unreadable", detail=str(error), retryable=True)


def fetched(rows: list[dict[str, Any]], limits: Collect, store: Store, what: str) -> Iterator[dict[str, Any] | Drop]:
    """Yield a row or a drop for each candidate, in order, `limits.workers` at a time."""
    pool = ThreadPoolExecutor(max(1, limits.workers))
    try:
        yield from track(pool.map(lambda row: _tried(row, limits, store), rows), len(rows), what)
    finally:
        pool.shutdown(cancel_futures=True)


def run(job: Job) -> None:
    """Write the fetched videos of each category."""
    window = job.need_window()
    limits = job.config.collect

    def work(category: str) -> None:
        keys = {"category": category, "window": window}
        candidates = job.datasets.need(CANDIDATES, **keys)
        if job.finished(FETCHED, keys, inputs=[candidates]):
            return
        rows = job.datasets.read(CANDIDATES, **keys).to_pylist()
        results = list(fetched(rows, limits, job.store, f"fetch {category}"))
        kept, repeated = first_of_equals(result for result in results if not isinstance(result, Drop))
        drops = [result for result in results if isinstance(result, Drop)] + repeated
        job.finish(FETCHED, [FETCHED.rows(kept)], keys, inputs=[candidates], drops=drops)

    job.each_category(work)
