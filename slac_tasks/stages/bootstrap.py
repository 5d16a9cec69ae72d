"""Train a committee from weak labels: every clip of a video is taken to show what the video was retrieved for.

Reads: clips of all categories in the window, training videos only; the parent committee; proxies; withdrawals.
Writes: committees (committee) and the weights that it names.
Safe to run again: a finished committee is left alone, and with nothing uncovered nothing is done.

A member that is new is trained whole, backbone and head; with `committee.frozen` a pretrained backbone stays as it is.
One that the parent has gets a new head on its frozen backbone for the categories that it lacks. The parent's rows are
copied as they are, so scores of other categories stay what they are. A member that left the settings is copied only
where a member of the settings does not score yet.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow.compute as pc
from torch import Tensor

from slac_tasks.admission.withdrawals import Withdrawals
from slac_tasks.errors import NotMade, WrongArguments
from slac_tasks.job import Job, Partition
from slac_tasks.model import Split, View, content_hash
from slac_tasks.networks.committees import PRETRAINED, committee_key, recency, settled
from slac_tasks.networks.inference import device
from slac_tasks.networks.registry import Architecture, Classifier, architecture, committee
from slac_tasks.networks.starting import starting_backbone
from slac_tasks.networks.weights import decode_backbone, encode_backbone, encode_head
from slac_tasks.progress import print_line
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
    window = job.key("window")
    if not job.categories:
        print_line("bootstrap: nothing uncovered, nothing to do")
        return
    _check_recipe(job)
    sources = [job.datasets.need(CLIPS, **k) for k in job.datasets.partitions(CLIPS, window=window)]
    parent = job.datasets.need(COMMITTEES, committee=job.given["parent"]) if "parent" in job.given else None
    inputs = [*sources, *([parent] if parent else [])]
    with job.partition(COMMITTEES, {"committee": job.key("committee")}, inputs=inputs) as made:
        if not made.finished:
            old = list(job.datasets.rows_of(COMMITTEES, parent)) if parent else []
            _train(job, sources, old, made)


def _check_recipe(job: Job) -> None:
    """Refuse an id that stands for another recipe: under one id there is never but one committee.

    Raises:
        WrongArguments: the id is not that of these arguments and settings.

    """
    want = committee_key(job.given.get("parent"), job.key("window"), job.categories, job.config.committee)
    if job.key("committee") != want:
        raise WrongArguments(
            f"committee {job.key('committee')}: is the id of another recipe; this parent, window, these categories "
            f"and the settings of the committee make {want}: plan again"
        )


def _train(job: Job, sources: Sequence[Manifest], old: Sequence[CommitteeRow], made: Partition[CommitteeRow]) -> None:
    """Write the rows of the new committee, which extends that of the rows `old`."""
    footage = _Footage(job, sources)
    window, members = f"window {job.key('window')}", job.config.committee.members
    bare = [c for c in job.categories if not any(c in found for found in footage.weak.values())]
    if len(bare) == len(job.categories) and not old:
        raise NotMade(f"bootstrap: {window} holds no training clips of {', '.join(bare)}; want some of one")
    categories = [c for c in sorted(job.categories) if c not in bare]
    rows = settled([*old, *_taught(footage, old, categories)], members)
    for member in sorted({row.member for row in old} - {row.member for row in rows}):
        print_line(f"bootstrap: {member} is not in committee.members and leaves the committee")
    made.write(rows)
    made.drops += [Drop(item=c, reason="no training clips", detail=window, retryable=True) for c in bare]
    made.drops += footage.drops.values()


def _taught(footage: "_Footage", old: Sequence[CommitteeRow], categories: Sequence[str]) -> list[CommitteeRow]:
    """Train every member of the settings for what it does not score yet, and return what is new."""
    new: list[CommitteeRow] = []
    for entry in committee(footage.job.config.committee.members):
        own = [row for row in old if row.member == entry.name]
        lacking = [c for c in categories if c not in {row.category for row in own}]
        if lacking:
            new += _extended(footage, own, lacking) if own else _fresh(footage, entry, lacking)
    # A network that a release trained covers what nobody scores yet; for all else people's labels teach it.
    own = [row for row in old if row.member == PRETRAINED]
    lacking = [c for c in categories if c not in {row.category for row in old}]
    return new + (_extended(footage, own, lacking) if own and lacking else [])


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


def _fresh(footage: _Footage, entry: Architecture, categories: Sequence[str]) -> list[CommitteeRow]:
    """Train a member that knows nothing: backbone and head, or the head alone where the settings freeze backbones."""
    job, settings = footage.job, footage.job.config.committee
    clips, pixels = footage.of(entry)
    targets = weak_targets(clips, footage.weak, categories)
    with seeded(settings.seed):
        backbone, pretrained = starting_backbone(entry, settings.pretrained)
        classifier = Classifier(entry, len(categories), backbone)
    where = device(job.config.device)
    how = f"from {'pretrained' if pretrained else 'random'} weights"
    if pretrained and settings.frozen:
        frozen = classifier.backbone.to(where).eval().requires_grad_(False)
        classifier.head = fit_head(features(frozen, entry, pixels, where), targets)
        how += ", the backbone as it was"
    else:
        rate = TUNED_RATE if pretrained else FRESH_RATE
        recipe = Recipe(steps=settings.steps, batch=settings.batch, seed=settings.seed, rate=rate)
        loss = fit(classifier, pixels, targets, masked_loss(targets), recipe, where, entry.name)
        how += f", loss {loss:.3f}"
    print_line(f"bootstrap: {entry.name} learned {len(categories)} categories from {len(clips)} clips {how}")
    stored = put_by_content(job.store, "weights", ".pt", encode_backbone(entry, classifier.backbone))
    head = put_by_content(job.store, "weights", ".pt", encode_head(entry, classifier.head, categories))
    return _rows(entry.name, entry, stored, head, categories, job.key("window"))


def _extended(footage: _Footage, own: Sequence[CommitteeRow], lacking: Sequence[str]) -> list[CommitteeRow]:
    """Give a member, of which these are the rows, a head for what it lacks, on its newest backbone."""
    job, newest = footage.job, max(own, key=recency)
    where = device(job.config.device)
    entry = architecture(newest.architecture)
    clips, pixels = footage.of(entry)
    frozen = decode_backbone(entry, job.store.get(f"weights/{newest.backbone}.pt")).to(where)
    found = features(frozen, entry, pixels, where)
    head = fit_head(found, weak_targets(clips, footage.weak, lacking))
    stored = put_by_content(job.store, "weights", ".pt", encode_head(entry, head, lacking))
    print_line(
        f"bootstrap: {newest.member} learned {', '.join(lacking)} from {len(clips)} clips on its frozen backbone"
    )
    return _rows(newest.member, entry, newest.backbone, stored, lacking, job.key("window"))


def _rows(
    member: str, entry: Architecture, backbone: str, head: str, categories: Sequence[str], window: str
) -> list[CommitteeRow]:
    return [
        CommitteeRow(
            member=member, architecture=entry.name, category=category, backbone=backbone, head=head, output=output,
            weights=content_hash(entry.name, backbone, head), origin=f"bootstrap:{window}",
        )
        for output, category in enumerate(categories)
    ]  # fmt: skip
