"""Download, check and decode each candidate once, into proxies.

Reads: dataset candidates; the bytes at their locations; withdrawals.
Writes: media objects media/<video_id>/<hash>-256.mp4 and -128.mp4 (and original, if kept), dataset fetched; until that
is written, an outcome per candidate in fetching/, and unfinished downloads in `fetch.scratch`.
Safe to run again: what is done is not done again, a download goes on where it ended, and `--remake` and `--retry` ask
again only for what failed and may succeed, and for candidates whose place or hash is another one now.
"""

import hashlib
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from slac_tasks import __version__
from slac_tasks.admission.likeness.fingerprints import video_hashes
from slac_tasks.admission.withdrawals import TAKEN_DOWN, Withdrawals, delete_media
from slac_tasks.collect import locations
from slac_tasks.collect.downloads import files
from slac_tasks.collect.downloads.reasons import NOT_CONFIGURED, Unfetched
from slac_tasks.collect.downloads.scratch import alone, own_folder, sweep
from slac_tasks.collect.downloads.turns import in_turn
from slac_tasks.collect.locations import Access
from slac_tasks.collect.outcomes import Outcome, Outcomes
from slac_tasks.collect.settings import WHERE
from slac_tasks.config import Config
from slac_tasks.errors import NotConfigured, is_disk_full
from slac_tasks.job import Job
from slac_tasks.model import admission_order, content_hash, media_video_id
from slac_tasks.progress import counted, track
from slac_tasks.settings import Table
from slac_tasks.storage.datasets import CANDIDATES, FETCHED
from slac_tasks.storage.datasets.collecting import CandidateRow, FetchedRow, Span
from slac_tasks.storage.manifests import Drop, Manifest
from slac_tasks.storage.store import Store
from slac_tasks.video import originals, shots


def first_of_equals(rows: Iterable[FetchedRow]) -> tuple[list[FetchedRow], list[Drop]]:
    """Return the first of the rows with the same bytes, and a drop for each of the others."""
    first: dict[str, FetchedRow] = {}
    drops = []
    for row in sorted(rows, key=admission_order):
        found = first.setdefault(row.media_sha256, row)
        if found is not row:
            drops.append(Drop(item=row.candidate_id, reason="duplicate bytes", detail=found.candidate_id))
    return list(first.values()), drops


@dataclass(frozen=True, kw_only=True)
class Fetcher:
    """Fetches the candidates of one partition."""

    access: Access
    store: Store
    outcomes: Outcomes
    withdrawals: Withdrawals

    def all(
        self, candidates: list[CandidateRow], known: dict[str, Outcome], what: str
    ) -> Iterator[tuple[str, Outcome]]:
        """Yield (candidate_id, outcome) of each candidate, as they end."""
        todo = [row for row in candidates if row.candidate_id not in known]
        yield from known.items()
        results = in_turn(todo, _host, self.outcome, self.access.web.hosts, self.access.fetch)
        for row, outcome in track(results, len(todo), what):
            if isinstance(outcome, Unfetched):
                outcome = Drop(item=row.candidate_id, reason=outcome.reason, detail=outcome.detail, retryable=True)
            yield row.candidate_id, outcome

    def outcome(self, candidate: CandidateRow) -> Outcome:
        """Fetch one candidate; a failure that is its own becomes a drop.

        Raises:
            Unfetched: another try in this run may go better.

        """
        if self.withdrawals.covers(candidate):
            return Drop(item=candidate.candidate_id, reason=TAKEN_DOWN)
        try:
            key = content_hash(self.store.url, self.outcomes.partition, candidate.candidate_id)
            with own_folder(self.access.fetch, key) as folder:
                outcome = self._final(candidate, folder)
                self.outcomes.write(candidate, outcome)
                shutil.rmtree(folder, ignore_errors=True)
                return outcome
        except originals.Rejected as no:
            return Drop(item=candidate.candidate_id, reason=no.reason, detail=no.detail, retryable=True)
        except OSError as error:
            if is_disk_full(error):
                raise
            return Drop(item=candidate.candidate_id, reason="unreadable", detail=str(error), retryable=True)

    def _final(self, candidate: CandidateRow, folder: Path) -> Outcome:
        """Return an outcome that a later try would not change; raise what another try may mend."""
        try:
            return self._row(candidate, folder)
        except (Unfetched, originals.Rejected) as no:
            if no.retryable:
                raise
            return Drop(item=candidate.candidate_id, reason=no.reason, detail=no.detail)

    def _row(self, candidate: CandidateRow, folder: Path) -> FetchedRow:
        """Fetch one candidate and put its proxies into the store; return its row."""
        limits = self.access.collect
        path, resumed = locations.parse(candidate.location, candidate.source).open(self.access, folder)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        video_id = media_video_id(digest)
        if self.withdrawals.covers_any(video_id, digest):
            raise Unfetched(TAKEN_DOWN, video_id)
        try:
            if candidate.sha256 not in (None, digest):
                raise originals.Rejected("wrong hash", f"is {digest}, want {candidate.sha256}")
            found = originals.probe(path, limits)
            proxy = originals.make_proxy(path, folder, found, limits)
        except originals.Rejected as no:
            if not resumed:
                raise
            # The parts may not belong together, whatever the server said: once more, from the first byte.
            files.delete(path)
            raise Unfetched(no.reason, no.detail, retryable=True) from no
        proxy_digest = hashlib.sha256(proxy.path_256.read_bytes()).hexdigest()
        names = {side: originals.rendition_name(video_id, proxy_digest, side) for side in (256, 128)}
        for side, rendition in ((128, proxy.path_128), (256, proxy.path_256)):
            if not self.store.exists(names[side]):
                self.store.put_file(names[side], rendition)
        original = originals.beside(names[256])
        if limits.keep_originals and not self.store.exists(original):
            self.store.put_file(original, path)
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


def _host(candidate: CandidateRow) -> str:
    return locations.parse(candidate.location).host


def _limits(config: Config) -> Table:
    """Return the settings that decide what a candidate becomes."""
    return {name: value for name, value in config.digest(("collect",))["collect"].items() if name not in WHERE}


def _earlier(job: Job, before: Manifest | None, candidates: Manifest, rows: list[CandidateRow]) -> dict[str, Outcome]:
    """Return the outcomes of the generation before that stand: those of the same bytes or place, within these limits.

    Of older code's only where a retry or other candidates are the reason: a host may have lost since what it gave then.
    """
    if before is None or (job.is_remade(before.keys) and before.made_by.code != __version__):
        return {}
    made = before.made_by.settings.get("collect", {})
    if any(made.get(name) != value for name, value in _limits(job.config).items()):
        return {}
    wanted, asked = {row.candidate_id: row for row in rows}, _asked_before(job, before, candidates)
    found: dict[str, Outcome] = {
        drop.item: drop
        for drop in before.drops
        if drop.item in wanted and asked.get(drop.item) == _asks(wanted[drop.item])
        and not drop.retryable and drop.reason != "duplicate bytes"
    }  # fmt: skip
    for row in job.datasets.rows_of(FETCHED, before):
        given = wanted.get(row.candidate_id)
        if given and _is_of(row, given) and job.store.exists(row.proxy_256):
            # A generation of version 2 lacks the location, and nothing else.
            found[row.candidate_id] = replace(row, location=given.location)
    return found


def _asked_before(job: Job, before: Manifest, candidates: Manifest) -> dict[str, tuple[str, str | None]]:
    """Return what was asked for each candidate that a generation was made from; none where they are no more."""
    mark = before.made_from.get(candidates.address)
    made = job.datasets.another(candidates, mark) if mark else None
    return {row.candidate_id: _asks(row) for row in job.datasets.rows_of(CANDIDATES, made)} if made else {}


def _asks(candidate: CandidateRow) -> tuple[str, str | None]:
    """Return what decides which bytes a candidate gets."""
    return candidate.location, candidate.sha256


def _is_of(row: FetchedRow, candidate: CandidateRow) -> bool:
    """Return whether a row holds what a candidate asks for: these bytes, or what was at this place."""
    if candidate.sha256 is not None:
        return row.media_sha256 == candidate.sha256
    return row.location in (None, candidate.location)


def run(job: Job) -> None:
    """Write the fetched videos of each category."""
    access = Access(collect=job.config.collect, fetch=job.config.fetch, environ=job.environ)
    sweep(access.fetch)
    job.each_category(lambda category: _fetch(job, access, {"category": category, "window": job.key("window")}))


def _fetch(job: Job, access: Access, keys: Mapping[str, str]) -> None:
    candidates = job.datasets.need(CANDIDATES, **keys)
    before = job.datasets.manifest(FETCHED, **keys)
    outcomes = Outcomes(store=job.store, partition=f"{keys['category']}/{keys['window']}", limits=_limits(job.config))
    with job.partition(FETCHED, keys, inputs=[candidates]) as made:
        if made.finished:
            return
        what = f"fetch {keys['category']} {keys['window']}"
        with alone(access.fetch, content_hash(job.store.url, outcomes.partition), what):
            fetcher = Fetcher(
                access=access, store=job.store, outcomes=outcomes, withdrawals=Withdrawals.read(job.store)
            )
            rows = list(job.datasets.rows_of(CANDIDATES, candidates))
            known = _earlier(job, before, candidates, rows) | outcomes.read(rows)
            found = dict(fetcher.all(rows, known, what))
            fetched, drops = _sorted_out(job, [found[row.candidate_id] for row in rows])
            if not fetched and (lacking := [drop for drop in drops if drop.reason == NOT_CONFIGURED]):
                raise NotConfigured(
                    f"{what}: {counted(len(lacking), 'video')}, and none was fetched: {lacking[0].detail}"
                )
            made.write(fetched)
            made.drops += drops
    outcomes.delete()


def _sorted_out(job: Job, outcomes: list[Outcome]) -> tuple[list[FetchedRow], list[Drop]]:
    """Part rows from drops; a video that was withdrawn meanwhile leaves."""
    withdrawals = Withdrawals.read(job.store)
    drops = [outcome for outcome in outcomes if isinstance(outcome, Drop)]
    rows = []
    for row in outcomes:
        if isinstance(row, Drop):
            continue
        if withdrawals.covers(row):
            if any(withdrawal.deletes for withdrawal in withdrawals.of(job.store, row)):
                delete_media(job.store, row.video_id)
            drops.append(Drop(item=row.candidate_id, reason=TAKEN_DOWN))
        else:
            rows.append(row)
    fetched, repeated = first_of_equals(rows)
    return fetched, drops + repeated
