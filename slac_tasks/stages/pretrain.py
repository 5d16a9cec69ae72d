"""Pretrain a video network on a release's sparse labels: +1 and -1 where people answered, nothing elsewhere.

Reads: a finished release (training split), proxies, withdrawals.
Writes: models (release), the weights that it names, also as one file for torchvision, and their model card; event
files of TensorBoard under runs/; checkpoints until it is finished. MLFLOW_TRACKING_URI, WANDB_API_KEY and WANDB_MODE
name trackers that get the curve too.
Safe to run again: a finished model is left alone, and one that was cut off goes on from its newest checkpoint.

Several processes train together: one for each card of the machine, or as many as `training.processes` says; or those
that `torchrun` has started, on any number of machines, each with this command. The first of them alone writes.
"""

from collections.abc import Collection
from contextlib import closing
from dataclasses import replace

import torch

from slac_tasks.admission.withdrawals import TAKEN_DOWN, Withdrawals
from slac_tasks.errors import BrokenContract
from slac_tasks.job import Job, Partition
from slac_tasks.model import Split
from slac_tasks.networks.inference import device
from slac_tasks.networks.registry import Architecture, Classifier
from slac_tasks.networks.starting import starting_backbone, starting_entry
from slac_tasks.networks.weights import encode_backbone, encode_head, encode_network
from slac_tasks.progress import print_line
from slac_tasks.release.finished import need_release
from slac_tasks.reports.model_card import COLUMNS as CARD
from slac_tasks.reports.model_card import Seen, card, taught
from slac_tasks.scratch import Scratch
from slac_tasks.storage.cache import CachedMedia
from slac_tasks.storage.checkpoints import Checkpoints
from slac_tasks.storage.datasets import MODELS
from slac_tasks.storage.datasets.releasing import ModelRow
from slac_tasks.storage.manifests import Drop, Manifest
from slac_tasks.storage.objects import Folder, put_by_content
from slac_tasks.training.index import COLUMNS, Index, temporary_index
from slac_tasks.training.kept import KeptPixels
from slac_tasks.training.learner import Plan
from slac_tasks.training.planned import plan_of, sentence
from slac_tasks.training.pretraining import Learned, Work, pretrain
from slac_tasks.training.ranks import Ranks
from slac_tasks.training.together import pretrain_together, processes
from slac_tasks.training.tracking import Tracked
from slac_tasks.training.trainer import seeded
from slac_tasks.video.clips import decoders

RUNS = "runs"
"""Folder of the store that TensorBoard shows: a folder for each run, with its event files."""


def run(job: Job) -> None:
    """Train on the release's training split."""
    keys = {"release": job.key("release")}
    version, release = need_release(job.datasets, job.key("release"))
    ranks = Ranks.of(job.environ)
    with ranks.joined("env://", device(job.config.device)) as where:
        if not ranks.first:
            if ranks.from_first(False):
                _learned(job, _index(job, release), None, ranks, where)
            return
        with job.partition(MODELS, keys, inputs=[release]) as made:
            if ranks.from_first(not made.finished):
                model, seen, gone = _model(job, release, made, ranks, where)
                text = card(model, keys["release"], version, taught(job.datasets.tables(release, CARD), gone), seen)
                made.write([replace(model, card=put_by_content(job.store, "weights", ".md", text.encode()))])


def _entry(job: Job) -> Architecture:
    return starting_entry(job.config.training.architecture, job.config.training.start)


def _index(job: Job, release: Manifest) -> Index:
    """Return the clips that may be learned from."""
    small = _entry(job).view.small
    tables = job.datasets.tables(release, COLUMNS)
    withdrawn = Withdrawals.read(job.store).covers_any
    index = temporary_index(tables, split=Split.TRAINING, small=small, withdrawn=withdrawn)
    if not len(index):
        raise BrokenContract(f"release {job.key('release')}: 0 training clips, want some")
    return index


def _model(
    job: Job, release: Manifest, made: Partition[ModelRow], ranks: Ranks, where: torch.device
) -> tuple[ModelRow, Seen, Collection[str]]:
    """Train a network on these labels; return it, what its card says of it, and the videos that were withdrawn.

    These are dropped, and so are those that cannot be decoded.
    """
    index = _index(job, release)
    made.drops += [Drop(item=video_id, reason=TAKEN_DOWN) for video_id in index.withdrawn_videos]
    classifier, plan, learned = _learned(job, index, made.checkpoints, ranks, where)
    by_video = {clip_id.rpartition(":")[0]: lost for clip_id, lost in learned.lost.items()}
    made.drops += [lost.drop(video_id) for video_id, lost in sorted(by_video.items())]
    entry = classifier.entry
    model = ModelRow(
        architecture=entry.name,
        backbone=put_by_content(job.store, "weights", ".pt", encode_backbone(entry, classifier.backbone)),
        head=put_by_content(job.store, "weights", ".pt", encode_head(entry, classifier.head, index.categories)),
        network=put_by_content(job.store, "weights", ".safetensors", encode_network(classifier, index.categories)),
        categories=index.categories,
        steps=plan.steps,
        clips=len(index) - len(learned.lost),
        loss=sum(learned.losses) / len(learned.losses),
    )
    how = sentence(plan, entry, index)
    seen = Seen(
        torchvision=entry.torchvision, line=entry.preprocessing, shape=entry.shape, plan=how,
        is_attentive=entry.is_frozen,
    )  # fmt: skip
    return model, seen, index.withdrawn_videos


def _learned(
    job: Job, index: Index, checkpoints: Checkpoints | None, ranks: Ranks, where: torch.device
) -> tuple[Classifier, Plan, Learned]:
    """Train, as one of the ranks that exist, or with ranks of this machine that are started here."""
    settings = job.config.training
    entry = _entry(job)
    world = ranks.world if ranks.world > 1 else processes(settings.processes, where)
    with seeded(settings.seed):
        backbone, tuned = starting_backbone(entry, settings.start)
        classifier = Classifier(entry, len(index.categories), backbone)
    plan = plan_of(settings, entry, clips=len(index), tuned=tuned, world=world)
    if ranks.first:
        print_line(f"pretrain: {sentence(plan, entry, index, world=world)}")
    room = int(settings.scratch_gib * 2**30) // ranks.local_world
    with (
        Scratch() as folder,
        closing(KeptPixels(folder, entry.view, len(index))) as kept,
    ):
        # Copies of renditions have the room that decoded clips leave, which is all of it where these do not fit.
        fits = kept.size_bytes <= room
        work = Work(
            index=index, keeps=checkpoints, kept=kept if fits else None,
            tracked=_tracked(job, checkpoints, entry.name) if checkpoints else None,
            media=CachedMedia(job.media, folder / "media", room - kept.size_bytes if fits else room),
            workers=decoders(job.config.scoring.workers, clips=len(index)),
        )  # fmt: skip
        if world == ranks.world:
            learned = pretrain(classifier, work, plan, where, ranks)
        else:
            learned = pretrain_together(
                classifier, work, plan, job.config.device, world=world, folder=folder
            )  # fmt: skip
    return classifier, plan, learned


def _tracked(job: Job, checkpoints: Checkpoints, architecture: str) -> Tracked:
    """Return where the run can be watched; a run of the same inputs and settings is the same one."""
    run = f"release={job.key('release')}/{checkpoints.made_of}"
    about = {"release": job.key("release"), "architecture": architecture}
    return Tracked(run=run, about=about, put=Folder(job.media, f"{RUNS}/{run}"), environ=dict(job.environ))
