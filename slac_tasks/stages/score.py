"""Score every clip of a window with every member of the committee, for the action that each was retrieved for.

Reads: clips (category, window), committees, weights, proxies.
Writes: scores (category, window, weights), one for each member; a member that has scored the clips is not asked again.
Safe to run again: scores that exist are left alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from slac_tasks.classifiers import Architecture, architecture
from slac_tasks.datasets import CLIPS, COMMITTEES, SCORES
from slac_tasks.errors import NotMade, SlacError
from slac_tasks.footage import ClipAddress, footage
from slac_tasks.job import Job
from slac_tasks.shelf import Drop, Manifest
from slac_tasks.training import device, features
from slac_tasks.weights import decode_backbone, decode_head


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
        job.finish(SCORES, [SCORES.rows(want.rows)], want.keys, inputs=[want.clips], drops=want.drops)
    if failure is not None:
        raise failure


def _missing(job: Job, category: str) -> list[Want]:
    """Return what the committee's members have still to score of a category."""
    window, committee = job.need_window(), job.need_committee()
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
    columns = ["clip_id", "video_id", "start_sec", "proxy_128"]
    return [
        ClipAddress(clip_id=r["clip_id"], video_id=r["video_id"], start_sec=r["start_sec"], proxy=r["proxy_128"])
        for table in job.datasets.tables(clips, columns)
        for r in table.to_pylist()
    ]


def _score(job: Job, wants: Sequence[Want]) -> None:
    """Fill the rows and drops of `wants`."""
    where = device(job.config.device)
    backbones: dict[str, nn.Module] = {}
    heads: dict[str, nn.Linear] = {}
    for want in wants:
        if want.backbone not in backbones:
            blob = job.store.get(f"weights/{want.backbone}.pt")
            backbones[want.backbone] = decode_backbone(want.entry, blob).to(where)
        if want.head not in heads:
            heads[want.head] = decode_head(want.entry, job.store.get(f"weights/{want.head}.pt"))[0]
    videos = {want.category: {clip.video_id for clip in want.wanted.values()} for want in wants}

    def lost(video_id: str, why: str) -> None:
        for want in wants:
            if video_id in videos[want.category]:
                want.drops.append(Drop(item=video_id, reason="undecodable", detail=why))

    clips = [clip for want in wants for clip in want.wanted.values()]
    shapes = sorted({want.entry.shape for want in wants})
    for reel in footage(clips, shapes, job.store.local, lost, "score"):
        found: dict[str, Tensor] = {}
        for want in wants:
            if not any(clip.clip_id in want.wanted for clip in reel.clips):
                continue
            if want.backbone not in found:
                pixels = reel.pixels[want.entry.shape]
                found[want.backbone] = features(backbones[want.backbone], want.entry, pixels, where)
            want.rows += _rows(want, reel.clips, found[want.backbone], heads[want.head])


def _rows(want: Want, clips: Sequence[ClipAddress], found: Tensor, head: nn.Linear) -> list[dict[str, object]]:
    """Return the scores of those of `clips` that are wanted; row i of `found` belongs to clip i."""
    with torch.inference_mode():
        scores = torch.sigmoid(head(found))[:, want.output].tolist()
    return [
        {"clip_id": clip.clip_id, "video_id": clip.video_id, "member": want.member, "score": score}
        for clip, score in zip(clips, scores, strict=True)
        if clip.clip_id in want.wanted
    ]
