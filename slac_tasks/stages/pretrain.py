"""Pretrain a video network on a release's sparse labels: +1 and -1 where people answered, nothing elsewhere.

Reads: a finished release (training split), proxies, withdrawals.
Writes: models (release) and the weights that it names.
Safe to run again: a finished model is left alone.
"""

from slac_tasks.admission.withdrawals import Withdrawals
from slac_tasks.errors import BrokenContract
from slac_tasks.job import Job, Partition
from slac_tasks.model import Split
from slac_tasks.networks.inference import device
from slac_tasks.networks.registry import Classifier, architecture
from slac_tasks.networks.weights import encode_backbone, encode_head
from slac_tasks.release.finished import need_release
from slac_tasks.storage.datasets import MODELS, RELEASES
from slac_tasks.storage.datasets.releasing import ModelRow, ReleaseRow
from slac_tasks.storage.manifests import Drop
from slac_tasks.storage.objects import put_by_content
from slac_tasks.training.targets import answers_of, masked_targets
from slac_tasks.training.trainer import Recipe, fit, release_loss, seeded
from slac_tasks.video.clips import gather


def run(job: Job) -> None:
    """Train on the release's training split."""
    keys = {"release": job.key("release")}
    _, release = need_release(job.datasets, job.key("release"))
    with job.partition(MODELS, keys, inputs=[release]) as made:
        if not made.finished:
            rows = [row for row in job.datasets.rows_of(RELEASES, release) if row.split == Split.TRAINING]
            rows = Withdrawals.read(job.store).readable(rows, made.drops)
            made.write([_train(job, rows, made)])


def _train(job: Job, rows: list[ReleaseRow], made: Partition[ModelRow]) -> ModelRow:
    """Train a network on these labels."""
    wanted, answers = answers_of(rows)
    categories = sorted({row.category for row in rows})
    settings = job.config.training
    entry = architecture(settings.architecture)

    def lost(video_id: str, why: str) -> None:
        made.drops.append(Drop(item=video_id, reason="undecodable", detail=why))

    clips, pixels = gather(wanted, entry.view, job.media, lost, "decode", job.config.scoring.workers)
    if not clips:
        raise BrokenContract(f"release {job.key('release')}: {len(wanted)} training clips, none readable; want some")
    with seeded(settings.seed):
        classifier = Classifier(entry, len(categories))
    targets = masked_targets(clips, answers, categories)
    recipe = Recipe(steps=settings.steps, batch=settings.batch, seed=settings.seed)
    where = device(job.config.device)
    loss = fit(classifier, pixels, targets, release_loss(targets), recipe, where, "pretrain")
    return ModelRow(
        architecture=entry.name,
        backbone=put_by_content(job.store, "weights", ".pt", encode_backbone(entry, classifier.backbone)),
        head=put_by_content(job.store, "weights", ".pt", encode_head(entry, classifier.head, categories)),
        categories=tuple(categories),
        steps=settings.steps,
        clips=len(clips),
        loss=loss,
    )
