"""Download, check and decode each candidate once, into proxies.

Reads: dataset candidates; the bytes at their locations; takedowns.
Writes: media objects media/<video_id>/<hash>-256.mp4 and -128.mp4 (and original, if kept), dataset fetched; until that
is written, an outcome per candidate in fetching/, and unfinished downloads in `fetch.scratch`.
Safe to run again: what is done is not done again, a download goes on where it ended, and `--remake` asks again only for
what failed and may succeed.
"""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from slac_tasks import __version__
from slac_tasks.admission.likeness.fingerprints import video_hashes
from slac_tasks.admission.withdrawals import Takedowns, delete_media
from slac_tasks.collect.downloads import files
from slac_tasks.collect.downloads.reasons import Unfetched
from slac_tasks.collect.downloads.turns import in_turn
from slac_tasks.collect.downloads.web import Web, host_of
from slac_tasks.collect.sources import manifest
from slac_tasks.config import Config
from slac_tasks.errors import NotConfigured
from slac_tasks.job import Job
from slac_tasks.model import admission_order, content_hash, media_video_id
from slac_tasks.progress import track
from slac_tasks.storage.datasets import CANDIDATES, FETCHED
from slac_tasks.storage.datasets.collecting import CandidateRow, FetchedRow, Span
from slac_tasks.storage.manifests import Drop, Manifest
from slac_tasks.storage.objects import Store, is_disk_full, open_store
from slac_tasks.video import originals, shots

Outcome = FetchedRow | Drop
"""What became of a candidate."""

_PAGE = "yt-dlp+"
_PRESIGNED_SEC = 6 * 3600


def first_of_equals(rows: Iterable[FetchedRow]) -> tuple[list[FetchedRow], list[Drop]]:
    """Keep the first of the rows with the same bytes; drop the others."""
    kept: dict[str, FetchedRow] = {}
    drops = []
    for row in sorted(rows, key=admission_order):
        first = kept.setdefault(row.media_sha256, row)
        if first is not row:
            drops.append(Drop(item=row.candidate_id, reason="duplicate bytes", detail=first.candidate_id))
    return list(kept.values()), drops


@dataclass(frozen=True, kw_only=True)
class Fetcher:
    """Fetches candidates of one partition."""

    config: Config
    store: Store
    environ: Any
    partition: str
    """category/window, by which unfinished work is told apart."""
    takedowns: Takedowns

    @cached_property
    def web(self) -> Web:
        """The network, with the budgets of this process."""
        return Web(self.config.fetch, allow_private=self.config.collect.allow_private_addresses)

    def outcome(self, candidate: CandidateRow) -> Outcome:
        """Fetch one; a failure that is the candidate's own becomes a drop.

        Raises:
            Unfetched: another try in this run may go better.

        """
        if self.takedowns.covers(candidate):
            return Drop(item=candidate.candidate_id, reason="taken down")
        try:
            with self._own_folder(candidate.candidate_id) as folder:
                try:
                    row: Outcome = self._row(candidate, folder)
                except (Unfetched, originals.Rejected) as no:
                    if no.retryable:
                        raise
                    row = Drop(item=candidate.candidate_id, reason=no.reason, detail=no.detail)
                self._store_outcome(candidate, row)
                shutil.rmtree(folder, ignore_errors=True)
                return row
        except originals.Rejected as no:
            return Drop(item=candidate.candidate_id, reason=no.reason, detail=no.detail, retryable=True)
        except OSError as error:
            if is_disk_full(error):
                raise
            return Drop(item=candidate.candidate_id, reason="unreadable", detail=str(error), retryable=True)

    def _row(self, candidate: CandidateRow, folder: Path) -> FetchedRow:
        """Fetch one candidate and put its proxies into the store; return its row."""
        limits = self.config.collect
        path, resumed = self._bytes(candidate, folder)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if candidate.sha256 not in (None, digest):
            raise Unfetched("wrong hash", f"is {digest}, want {candidate.sha256}")
        video_id = media_video_id(digest)
        if self.takedowns.covers_any(video_id, digest):
            raise Unfetched("taken down", video_id)
        try:
            found = originals.probe(path, limits)
            proxy = originals.make_proxy(path, folder, found, limits)
        except originals.Rejected as no:
            if not resumed:
                raise
            # The parts may not belong together, whatever the server said: once more, from the first byte.
            files.forget(path)
            raise Unfetched(no.reason, no.detail, retryable=True) from no
        proxy_digest = hashlib.sha256(proxy.path_256.read_bytes()).hexdigest()
        names = {side: f"media/{video_id}/{proxy_digest[:16]}-{side}.mp4" for side in (256, 128)}
        for side, rendition in ((128, proxy.path_128), (256, proxy.path_256)):
            if not self.store.exists(names[side]):
                self.store.put_file(names[side], rendition)
        if limits.keep_originals and not self.store.exists(f"media/{video_id}/original"):
            self.store.put_file(f"media/{video_id}/original", path)
        return FetchedRow(
            candidate_id=candidate.candidate_id,
            source=candidate.source,
            source_id=candidate.source_id,
            title=candidate.title,
            licence=candidate.licence,
            published_at=candidate.published_at,
            location=candidate.location,
            video_id=video_id,
            media_sha256=digest,
            size_bytes=path.stat().st_size,
            codec=found.codec,
            width=found.width,
            height=found.height,
            duration_sec=proxy.duration_sec,
            fps=float(proxy.fps),
            proxy_256=names[256],
            proxy_128=names[128],
            proxy_sha256=proxy_digest,
            shots=tuple(
                Span(start_sec=start, end_sec=end) for start, end in shots.shots(proxy.small, proxy.fps, limits.shots)
            ),
            frame_hashes=tuple(video_hashes(proxy.small, proxy.fps)),
        )

    def _bytes(self, candidate: CandidateRow, folder: Path) -> tuple[Path, bool]:
        """Return a local file with the candidate's bytes, and whether it was put together from several tries."""
        location, target, headers = candidate.location, folder / "original", {}
        limits = self.config.collect
        if location.startswith(_PAGE):
            from slac_tasks.collect.downloads.sites import about

            info = about(self.web, location.removeprefix(_PAGE))
            if (info.get("duration") or 0) > limits.max_duration_sec:
                raise Unfetched("too long", f"{info['duration']:.0f} s, want at most {limits.max_duration_sec} s")
            url, headers = str(info["url"]), dict(info.get("http_headers") or {})
        elif location.startswith(("http://", "https://")):
            url = location
        elif location.startswith("s3://"):
            url = self._presigned(location)
        else:
            return _file(candidate), False
        resumed = target.exists()
        files.download(
            self.web, url, target, name=location, max_bytes=limits.max_size_bytes, headers=headers,
            trusted=location.startswith("s3://"),
        )  # fmt: skip
        return target, resumed

    def _presigned(self, location: str) -> str:
        bucket, _, name = location.removeprefix("s3://").partition("/")
        url = open_store(f"s3://{bucket}", self.environ).presign(name, _PRESIGNED_SEC)
        if url is None:
            raise NotConfigured(f"{location}: has no address")
        return url

    @contextmanager
    def _own_folder(self, candidate_id: str) -> Iterator[Path]:
        """Yield the candidate's folder, with what an earlier try left; another one where a process works in it."""
        root = _scratch(self.config)
        folder = root / content_hash(self.store.url, self.partition, candidate_id)
        with folder.with_suffix(".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                with tempfile.TemporaryDirectory(dir=root) as other:
                    yield Path(other)
                return
            folder.mkdir(mode=0o700, exist_ok=True)
            for path in folder.iterdir():
                if not path.name.startswith("original"):
                    path.unlink()
            try:
                yield folder
            finally:
                if not any(folder.glob("original*")):
                    shutil.rmtree(folder, ignore_errors=True)
                    Path(lock.name).unlink(missing_ok=True)

    def _made_with(self, candidate: CandidateRow) -> str:
        limits = _limits(self.config)
        return content_hash(candidate.location, candidate.sha256 or "", json.dumps(limits), __version__)

    def _store_outcome(self, candidate: CandidateRow, found: Outcome) -> None:
        """Store an outcome that stands, for a run that follows one that was killed."""
        if isinstance(found, Drop):
            what = {"drop": asdict(found)}
        else:
            what = {"row": asdict(replace(found, published_at=None))}
        data = json.dumps({"made_with": self._made_with(candidate), **what}).encode()
        self.store.put(f"{self._folder}/{candidate.candidate_id}.json", data)

    @property
    def _folder(self) -> str:
        return f"fetching/{self.partition}"

    def stored_outcomes(self, candidates: Iterable[CandidateRow]) -> dict[str, Outcome]:
        """Return the outcomes that a run before this one left, by candidate_id."""
        names = set(self.store.names(f"{self._folder}/"))
        found: dict[str, Outcome] = {}
        for candidate in candidates:
            name = f"{self._folder}/{candidate.candidate_id}.json"
            if name not in names:
                continue
            what = json.loads(self.store.get(name))
            if what["made_with"] != self._made_with(candidate):
                continue
            if "drop" in what:
                found[candidate.candidate_id] = Drop(**what["drop"])
            elif set(what["row"]) == set(FETCHED.schema.names):
                found[candidate.candidate_id] = _restored(what["row"], candidate)
        return found

    def clear(self) -> None:
        """Forget the outcomes: they are in the dataset."""
        for name in list(self.store.names(f"{self._folder}/")):
            self.store.delete(name)

    def all(
        self, candidates: list[CandidateRow], known: dict[str, Outcome], what: str
    ) -> Iterator[tuple[str, Outcome]]:
        """Yield (candidate_id, outcome) of each candidate, as they end."""
        todo = [row for row in candidates if row.candidate_id not in known]
        yield from known.items()
        results = in_turn(todo, lambda row: _host(row.location), self.outcome, self.web.hosts, self.config.fetch)
        for row, outcome in track(results, len(todo), what):
            if isinstance(outcome, Unfetched):
                outcome = Drop(item=row.candidate_id, reason=outcome.reason, detail=outcome.detail, retryable=True)
            yield row.candidate_id, outcome


def _host(location: str) -> str:
    return host_of(location.removeprefix(_PAGE)) if "://" in location else ""


def _restored(values: dict[str, Any], candidate: CandidateRow) -> FetchedRow:
    """Return the row that was stored as JSON; a moment does not survive it, so it comes from the candidate."""
    values["shots"] = tuple(Span(**span) for span in values["shots"])
    values["frame_hashes"] = tuple(values["frame_hashes"])
    return FetchedRow(**{**values, "published_at": candidate.published_at})


def _file(candidate: CandidateRow) -> Path:
    """Return a candidate's file; what a manifest names must lie in the manifest's own folder, links followed."""
    path, source = Path(candidate.location), Path(candidate.source)
    if source.suffix in manifest.ENDINGS and not path.resolve().is_relative_to(source.parent.resolve()):
        raise Unfetched("refused address", f"{path.name}: leads out of the manifest's folder")
    if not path.is_file():
        raise Unfetched("gone", f"{path}: no such file")
    return path


def _limits(config: Config) -> dict[str, Any]:
    """Return the settings that decide what a candidate becomes."""
    return {k: v for k, v in config.digest(("collect",))["collect"].items() if k not in ("sources", "synonyms")}


def _scratch(config: Config) -> Path:
    """Return the folder of unfinished downloads, which no other user of the machine may have made."""
    root = Path(config.fetch.scratch or Path(tempfile.gettempdir()) / f"slac-fetch-{os.getuid()}")
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if root.is_symlink() or root.stat().st_uid != os.getuid():
        raise NotConfigured(f"fetch.scratch {root}: belongs to another user, want a folder of one's own")
    return root


def _earlier(job: Job, before: Manifest | None, candidates: list[CandidateRow]) -> dict[str, Outcome]:
    """Return the outcomes of the generation before that stand: made by this code, within these limits."""
    if before is None or before.is_older or before.made_by.code != __version__:
        return {}
    made = before.made_by.settings.get("collect", {})
    if any(made.get(name) != value for name, value in _limits(job.config).items()):
        return {}
    wanted = {row.candidate_id: row for row in candidates}
    found: dict[str, Outcome] = {
        drop.item: drop
        for drop in before.drops
        if drop.item in wanted and not drop.retryable and drop.reason != "duplicate bytes"
    }
    for row in job.datasets.rows_of(FETCHED, before):
        given = wanted.get(row.candidate_id)
        if given and given.sha256 in (None, row.media_sha256) and job.store.exists(row.proxy_256):
            found[row.candidate_id] = row
    return found


def run(job: Job) -> None:
    """Write the fetched videos of each category."""
    job.each_category(lambda category: _fetch(job, {"category": category, "window": job.key("window")}))


def _fetch(job: Job, keys: Mapping[str, str]) -> None:
    candidates = job.datasets.need(CANDIDATES, **keys)
    before = job.datasets.manifest(FETCHED, **keys)
    fetcher = Fetcher(
        config=job.config, store=job.store, environ=job.environ, partition=f"{keys['category']}/{keys['window']}",
        takedowns=Takedowns.read(job.store),
    )  # fmt: skip
    with job.partition(FETCHED, keys, inputs=[candidates]) as made:
        if made.finished:
            return
        rows = list(job.datasets.rows_of(CANDIDATES, candidates))
        known = _earlier(job, before, rows) | fetcher.stored_outcomes(rows)
        outcomes = dict(fetcher.all(rows, known, f"fetch {keys['category']}"))
        fetched, drops = _sorted_out(job, [outcomes[row.candidate_id] for row in rows])
        made.write(fetched)
        made.drops += drops
    fetcher.clear()


def _sorted_out(job: Job, outcomes: list[Outcome]) -> tuple[list[FetchedRow], list[Drop]]:
    """Part rows from drops; a video that was taken down meanwhile leaves, and its bytes with it."""
    takedowns = Takedowns.read(job.store)
    drops = [outcome for outcome in outcomes if isinstance(outcome, Drop)]
    rows = []
    for row in outcomes:
        if isinstance(row, Drop):
            continue
        if takedowns.covers(row):
            delete_media(job.store, row.video_id)
            drops.append(Drop(item=row.candidate_id, reason="taken down"))
        else:
            rows.append(row)
    fetched, repeated = first_of_equals(rows)
    return fetched, drops + repeated
