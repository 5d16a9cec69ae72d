"""Pretrain a video network on a release's sparse labels: +1 and -1 where people answered, nothing elsewhere.

Reads: a finished release (training split), proxies, withdrawals.
Writes: models (release) and the weights that it names; checkpoints until then.
Safe to run again: a finished model is left alone, and one that was cut off goes on from its newest checkpoint.
"""

import tempfile
from contextlib import closing
from pathlib import Path

from slac_tasks.admission.withdrawals import TAKEN_DOWN, Withdrawals
from slac_tasks.errors import BrokenContract
from slac_tasks.job import Job, Partition
from slac_tasks.model import Split
from slac_tasks.networks.inference import device
from slac_tasks.networks.registry import Classifier, architecture
from slac_tasks.networks.starting import starting_backbone
from slac_tasks.networks.weights import encode_backbone, encode_head
from slac_tasks.release.finished import need_release
from slac_tasks.storage.cache import CachedMedia
from slac_tasks.storage.datasets import MODELS
from slac_tasks.storage.datasets.releasing import ModelRow
from slac_tasks.storage.manifests import Drop, Manifest
from slac_tasks.storage.objects import put_by_content
from slac_tasks.training.index import COLUMNS, Index, temporary_index
from slac_tasks.training.kept import KeptPixels
from slac_tasks.training.learner import Plan
from slac_tasks.training.pretraining import pretrain
from slac_tasks.training.trainer import seeded
from slac_tasks.video.clips import decoders


def run(job: Job) -> None:
    """Train on the release's training split."""
    keys = {"release": job.key("release")}
    _, release = need_release(job.datasets, job.key("release"))
    with job.partition(MODELS, keys, inputs=[release]) as made:
        if not made.finished:
            made.write([_train(job, release, made)])


def _index(job: Job, release: Manifest, made: Partition[ModelRow]) -> Index:
    """Return the clips that may be learned from; withdrawn videos are dropped."""
    small = architecture(job.config.training.architecture).view.small
    tables = job.datasets.tables(release, COLUMNS)
    withdrawn = Withdrawals.read(job.store).covers_any
    index = temporary_index(tables, split=Split.TRAINING, small=small, withdrawn=withdrawn)
    made.drops += [Drop(item=video_id, reason=TAKEN_DOWN) for video_id in index.withdrawn_videos]
    if not len(index):
        raise BrokenContract(f"release {job.key('release')}: 0 training clips, want some")
    return index


def _train(job: Job, release: Manifest, made: Partition[ModelRow]) -> ModelRow:
    """Train a network on these labels."""
    index, settings = _index(job, release, made), job.config.training
    entry, where = architecture(settings.architecture), device(job.config.device)
    with seeded(settings.seed):
        backbone, tuned = starting_backbone(entry, settings.start)
        classifier = Classifier(entry, len(index.categories), backbone)
    plan = Plan(
        steps=settings.steps, batch=settings.batch, rates=entry.rates, seed=settings.seed, loss=settings.loss,
        negatives=settings.negatives, balance=settings.balance, average=settings.average, tuned=tuned,
        frozen=settings.frozen, checkpoint_steps=settings.checkpoint_steps,
    )  # fmt: skip
    workers = decoders(job.config.scoring.workers, videos=int(index.videos[-1]) + 1)
    room = int(settings.scratch_gib * 2**30)
    with (
        tempfile.TemporaryDirectory(prefix="slac-") as folder,
        closing(KeptPixels(Path(folder), entry.view, len(index))) as kept,
    ):
        # Copies of renditions have the room that decoded clips leave, which is all of it where these do not fit.
        fits = kept.size_bytes <= room
        media = CachedMedia(job.media, Path(folder) / "media", room - kept.size_bytes if fits else room)
        learned = pretrain(
            classifier, index, media, plan, made.checkpoints, where, workers=workers, kept=kept if fits else None
        )
    lost = {clip_id.rpartition(":")[0]: why for clip_id, why in learned.lost.items()}
    made.drops += [Drop(item=video_id, reason="undecodable", detail=why) for video_id, why in sorted(lost.items())]
    return ModelRow(
        architecture=entry.name,
        backbone=put_by_content(job.store, "weights", ".pt", encode_backbone(entry, classifier.backbone)),
        head=put_by_content(job.store, "weights", ".pt", encode_head(entry, classifier.head, index.categories)),
        categories=index.categories,
        steps=settings.steps,
        clips=len(index) - len(learned.lost),
        loss=sum(learned.losses) / len(learned.losses),
    )
