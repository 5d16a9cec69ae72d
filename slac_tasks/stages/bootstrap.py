"""Train a committee from weak labels: every clip of a video is taken to show what the video was retrieved for.

Reads: clips of all categories in the window, training videos only; the parent committee; proxies; withdrawals.
Writes: committees (committee) and the weights that it names.
Safe to run again: a finished committee is left alone, and with nothing uncovered nothing is done.

Without a parent each member's backbone and head are trained together. With one, its rows are copied as they are, and
each category that it lacks gets a new head on the frozen backbones: scores of the other categories stay what they are.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow.compute as pc
from torch import Tensor

from slac_tasks.admission.withdrawals import Withdrawals
from slac_tasks.errors import NotMade
from slac_tasks.job import Job, Partition, say
from slac_tasks.model import Split, View, content_hash
from slac_tasks.networks.inference import device
from slac_tasks.networks.registry import Architecture, Classifier, architecture, committee, starting_backbone
from slac_tasks.networks.weights import decode_backbone, encode_backbone, encode_head
from slac_tasks.storage.datasets import CLIPS, COMMITTEES
from slac_tasks.storage.datasets.scoring import CommitteeRow
from slac_tasks.storage.manifests import Drop, Manifest
from slac_tasks.storage.objects import put_by_content
from slac_tasks.training.trainer import (
    FRESH_RATE,
    TUNED_RATE,
    Recipe,
    features,
    fit,
    fit_head,
    masked_loss,
    seeded,
    target_matrix,
)  # fmt: skip
from slac_tasks.video.clips import ADDRESS, ClipAddress, addresses, gather, spread

Weak = Mapping[str, set[str]]
"""clip_id -> the categories that its video was retrieved for."""


def weak_targets(clips: Sequence[ClipAddress], weak: Weak, categories: Sequence[str]) -> Tensor:
    """Return (clips, categories): +1 for the retrieval categories of the clip's video, -1 for all others (HACS)."""
    rows = [{category: 1 if category in weak[clip.clip_id] else -1 for category in categories} for clip in clips]
    return target_matrix(rows, categories)


def run(job: Job) -> None:
    """Cover the job's categories."""
    keys = {"committee": job.key("committee")}
    window = job.key("window")
    if not job.categories:
        say("bootstrap: nothing uncovered, nothing to do")
        return
    sources = [job.datasets.need(CLIPS, **k) for k in job.datasets.partitions(CLIPS, window=window)]
    parent = job.datasets.need(COMMITTEES, committee=job.given["parent"]) if "parent" in job.given else None
    inputs = [*sources, *([parent] if parent else [])]
    with job.partition(COMMITTEES, keys, inputs=inputs) as made:
        if not made.finished:
            _train(job, sources, parent, made)


def _train(job: Job, sources: Sequence[Manifest], parent: Manifest | None, made: Partition[CommitteeRow]) -> None:
    """Write the rows of the new committee."""
    footage = _Footage(job, sources)
    bare = [c for c in job.categories if not any(c in found for found in footage.weak.values())]
    window = f"window {job.key('window')}"
    if len(bare) == len(job.categories) and not parent:
        raise NotMade(f"bootstrap: {window} holds no training clips of {', '.join(bare)}; want some of one")
    categories = [c for c in sorted(job.categories) if c not in bare]
    made.write(_extended(footage, parent, categories) if parent else _fresh(footage, categories))
    made.drops += [Drop(item=c, reason="no training clips", detail=window, retryable=True) for c in bare]
    made.drops += footage.drops.values()


class _Footage:
    """The weakly labelled training clips of a window; each view is decoded once."""

    def __init__(self, job: Job, sources: Sequence[Manifest]) -> None:
        self.job = job
        self.weak: dict[str, set[str]] = {}
        withdrawals = Withdrawals.read(job.store)
        withdrawn: list[Drop] = []
        found: list[ClipAddress] = []
        for source in sources:
            clips = job.datasets.read_all(CLIPS, [source], [*ADDRESS, "split"])
            training = addresses(clips.filter(pc.equal(clips["split"], Split.TRAINING.value)))
            own = withdrawals.readable(training, withdrawn)
            for clip in own:
                self.weak.setdefault(clip.clip_id, set()).add(source.keys["category"])
            found += spread(own, job.config.committee.clips_per_video)
        self.drops = {drop.item: drop for drop in withdrawn}
        self.chosen = list(dict.fromkeys(found))
        self._decoded: dict[View, Any] = {}

    def of(self, entry: Architecture) -> tuple[list[ClipAddress], Any]:
        """Return (clips, pixels) as `entry` wants them decoded."""
        if entry.view not in self._decoded:
            self._decoded[entry.view] = gather(
                self.chosen, entry.view, self.job.media, self._lost, "decode", self.job.config.scoring.workers
            )
        clips, pixels = self._decoded[entry.view]
        if not clips:
            raise NotMade("bootstrap: no training clip could be decoded, want some")
        return clips, pixels

    def _lost(self, video_id: str, why: str) -> None:
        self.drops[video_id] = Drop(item=video_id, reason="undecodable", detail=why)


def _fresh(footage: _Footage, categories: Sequence[str]) -> list[CommitteeRow]:
    """Train every member, backbone and head."""
    job = footage.job
    settings = job.config.committee
    where = device(job.config.device)
    rows: list[CommitteeRow] = []
    for entry in committee(settings.members):
        clips, pixels = footage.of(entry)
        targets = weak_targets(clips, footage.weak, categories)
        with seeded(settings.seed):
            backbone, pretrained = starting_backbone(entry, settings.pretrained)
            classifier = Classifier(entry, len(categories), backbone)
        recipe = Recipe(
            steps=settings.steps,
            batch=settings.batch,
            seed=settings.seed,
            rate=TUNED_RATE if pretrained else FRESH_RATE,
        )
        loss = fit(classifier, pixels, targets, masked_loss(targets), recipe, where, entry.name)
        say(f"bootstrap: {entry.name} learned {len(categories)} categories from {len(clips)} clips, loss {loss:.3f}")
        stored = put_by_content(job.store, "weights", ".pt", encode_backbone(entry, classifier.backbone))
        head = put_by_content(job.store, "weights", ".pt", encode_head(entry, classifier.head, categories))
        rows += _seats(entry.name, entry, stored, head, categories, job.key("window"))
    return rows


def _extended(footage: _Footage, parent: Manifest, categories: Sequence[str]) -> list[CommitteeRow]:
    """Copy the parent's rows and give its members heads for what they lack of `categories`."""
    job = footage.job
    where = device(job.config.device)
    rows = list(job.datasets.rows_of(COMMITTEES, parent))
    members = dict.fromkeys((row.member, row.architecture, row.backbone) for row in rows)
    # A member that changed its backbone for some categories extends the newest one: the last row stands.
    newest = {member: (name, backbone) for member, name, backbone in members}
    for member, (name, backbone) in newest.items():
        lacking = [c for c in categories if not any(r.member == member and r.category == c for r in rows)]
        if not lacking:
            continue
        entry = architecture(name)
        clips, pixels = footage.of(entry)
        frozen = decode_backbone(entry, job.store.get(f"weights/{backbone}.pt")).to(where)
        found = features(frozen, entry, pixels, where)
        head = fit_head(found, weak_targets(clips, footage.weak, lacking))
        stored = put_by_content(job.store, "weights", ".pt", encode_head(entry, head, lacking))
        say(f"bootstrap: {member} learned {', '.join(lacking)} from {len(clips)} clips on its frozen backbone")
        rows += _seats(member, entry, backbone, stored, lacking, job.key("window"))
    return rows


def _seats(
    member: str, entry: Architecture, backbone: str, head: str, categories: Sequence[str], window: str
) -> list[CommitteeRow]:
    return [
        CommitteeRow(
            member=member, architecture=entry.name, category=category, backbone=backbone, head=head, output=output,
            weights=content_hash(entry.name, backbone, head), origin=f"bootstrap:{window}",
        )
        for output, category in enumerate(categories)
    ]  # fmt: skip
