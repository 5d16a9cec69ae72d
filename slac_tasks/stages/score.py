"""Score every clip of a window with every member of the committee, for the action that each was retrieved for.

Reads: clips (category, window), committees, weights, proxies.
Writes: scores (category, window, weights), one for each member; a member that has scored the clips is not asked again.
Safe to run again: scores that exist are left alone.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import torch
from torch import nn

from slac_tasks.errors import NotMade, SlacError
from slac_tasks.job import Job
from slac_tasks.networks.canaries import COUNT, canary, check, is_canary, known, remember
from slac_tasks.networks.inference import CPU_BATCH, Extractor, device, keep_freed_memory, precision
from slac_tasks.networks.registry import Architecture, architecture
from slac_tasks.networks.weights import decode_backbone, decode_head
from slac_tasks.storage.datasets import CLIPS, COMMITTEES, SCORES
from slac_tasks.storage.manifests import Drop, Manifest
from slac_tasks.storage.objects import Media, Store
from slac_tasks.video.clips import ADDRESS, ClipAddress, Footage, addresses, batched, footage


@dataclass(kw_only=True)
class Want:
    """Scores of one category's clips by one member, being made."""

    category: str
    member: str
    entry: Architecture
    backbone: str
    head: str
    output: int
    weights: str
    clips: Manifest
    wanted: dict[str, ClipAddress]
    """By clip_id."""
    rows: list[dict[str, object]] = field(default_factory=list)
    drops: list[Drop] = field(default_factory=list)

    @property
    def keys(self) -> dict[str, str]:
        """The partition that these scores become."""
        return {"category": self.category, "window": self.clips.keys["window"], "weights": self.weights}


def run(job: Job) -> None:
    """Score the categories of this job together: a clip is decoded once, and a backbone sees it once."""
    wants: list[Want] = []
    failure: SlacError | None = None
    try:
        job.each_category(lambda category: wants.extend(_missing(job, category)))
    except SlacError as error:
        failure = error
    if wants:
        _score(job, wants)
    for want in wants:
        rows = sorted(want.rows, key=lambda row: str(row["clip_id"]))
        job.finish(SCORES, [SCORES.from_records(rows)], want.keys, inputs=[want.clips], drops=want.drops)
    if failure is not None:
        raise failure


def _missing(job: Job, category: str) -> list[Want]:
    """Return what the committee's members have still to score of a category."""
    window, committee = job.key("window"), job.key("committee")
    clips = job.datasets.need(CLIPS, category=category, window=window)
    seats = [r for r in job.datasets.read(COMMITTEES, committee=committee).to_pylist() if r["category"] == category]
    if not seats:
        raise NotMade(f"committee {committee}: scores no category {category}, want it covered by bootstrap")
    wanted: dict[str, ClipAddress] = {}
    missing = []
    for seat in seats:
        keys = {"category": category, "window": window, "weights": seat["weights"]}
        if job.finished(SCORES, keys, inputs=[clips]):
            continue
        wanted = wanted or {address.clip_id: address for address in clip_addresses(job, clips)}
        missing.append(
            Want(
                category=category, member=seat["member"], entry=architecture(seat["architecture"]), clips=clips,
                backbone=seat["backbone"], head=seat["head"], output=seat["output"], weights=seat["weights"],
                wanted=wanted,
            )
        )  # fmt: skip
    return missing


def clip_addresses(job: Job, clips: Manifest) -> list[ClipAddress]:
    """Return where the clips of a partition are."""
    return [clip for table in job.datasets.tables(clips, ADDRESS) for clip in addresses(table)]


def _score(job: Job, wants: Sequence[Want]) -> None:
    """Fill the rows and drops of `wants`."""
    settings = job.config.scoring
    where = device(job.config.device)
    seats = _seats(job, wants, where)
    views = sorted({seat.extractor.entry.view for seat in seats})
    videos = {want.category: {clip.video_id for clip in want.wanted.values()} for want in wants}

    def lost(video_id: str, why: str) -> None:
        for want in wants:
            if video_id in videos[want.category]:
                want.drops.append(Drop(item=video_id, reason="undecodable", detail=why))

    clips = {clip for want in wants for clip in want.wanted.values()}
    media = Media(job.config.store_url, job.environ)
    reels = footage(clips, views, media, lost, "score", _workers(settings.workers, where))
    # One canary goes first and one last, so that what lies between them was scored by the same code and weights.
    canaries = [canary(index, views) for index in range(COUNT)]
    for batch in batched(chain(canaries[:1], reels, canaries[1:]), settings.batch):
        for seat in seats:
            seat.score(batch)
    for seat in seats:
        seat.check(job.store)


def _workers(setting: int, where: torch.device) -> int:
    """Return how many processes decode; beside a network on the processors none, they are all at work."""
    if setting >= 0:
        return setting
    return min(8, max(1, (os.cpu_count() or 1) // 2)) if where.type == "cuda" else 0


class Seat:
    """A backbone with all heads that read its features: it sees each clip once, for all who want it."""

    def __init__(self, extractor: Extractor, heads: Mapping[str, nn.Linear], wants: Sequence[Want]) -> None:
        self.extractor, self.heads, self.wants = extractor, heads, wants
        self._clip_ids = {clip_id for want in wants for clip_id in want.wanted}
        self._canaries: dict[str, dict[str, list[float]]] = {want.weights: {} for want in wants}

    def score(self, batch: Footage) -> None:
        """Score those clips of a batch that are wanted, and its canaries."""
        places = [i for i, clip in enumerate(batch.clips) if clip.clip_id in self._clip_ids or is_canary(clip)]
        if not places:
            return
        found = self.extractor.features(batch.pixels[self.extractor.entry.view][places])
        clips = [batch.clips[place] for place in places]
        with torch.inference_mode():
            scores = {head: torch.sigmoid(linear(found)) for head, linear in self.heads.items()}
        for want in self.wants:
            for clip, outputs in zip(clips, scores[want.head], strict=True):
                if clip.clip_id in want.wanted:
                    want.rows.append(_row(want, clip, float(outputs[want.output]), self.extractor))
                elif is_canary(clip):
                    self._canaries[want.weights][clip.clip_id] = outputs.tolist()

    def check(self, store: Store) -> None:
        """Compare the canaries with what is known of them; weights that are used for the first time make it known."""
        members = {want.weights: want for want in self.wants}
        for weights, found in self._canaries.items():
            want = members[weights]
            if (expected := known(store, weights)) is None:
                expected = self._alone(want)
                remember(store, weights, expected)
            check(weights, want.member, found, expected)

    def _alone(self, want: Want) -> dict[str, list[float]]:
        """Score each canary by itself and in full precision."""
        exact = replace(self.extractor, batch=1, dtype=torch.float32)
        scores = {}
        for index in range(COUNT):
            reel = canary(index, [exact.entry.view])
            with torch.inference_mode():
                outputs = torch.sigmoid(self.heads[want.head](exact.features(reel.pixels[exact.entry.view])))
            scores[reel.clips[0].clip_id] = outputs[0].tolist()
        return scores


def _seats(job: Job, wants: Sequence[Want], where: torch.device) -> list[Seat]:
    """Load each backbone once, and the heads that read it."""
    settings = job.config.scoring
    batch = settings.batch
    if where.type == "cpu":
        keep_freed_memory()
        batch = min(batch, CPU_BATCH)
    seats = []
    for backbone in dict.fromkeys(want.backbone for want in wants):
        own = [want for want in wants if want.backbone == backbone]
        entry = own[0].entry
        network = decode_backbone(entry, job.store.get(f"weights/{backbone}.pt")).to(where)
        if settings.compile:
            network.compile(dynamic=True)
        dtype = precision(where, settings.precision)
        extractor = Extractor(entry=entry, backbone=network, where=where, batch=batch, dtype=dtype)
        names = dict.fromkeys(want.head for want in own)
        heads = {name: decode_head(entry, job.store.get(f"weights/{name}.pt"))[0] for name in names}
        seats.append(Seat(extractor, heads, own))
    return seats


def _row(want: Want, clip: ClipAddress, score: float, extractor: Extractor) -> dict[str, object]:
    return {
        "clip_id": clip.clip_id, "video_id": clip.video_id, "member": want.member, "score": score,
        "preprocessing": extractor.preprocessing,
    }  # fmt: skip
