"""Say what the pretrained network is worth: on people's own labels, and as a start for actions it never saw.

Reads: a finished release (testing split), its model, proxies, withdrawals; the folder that training.transfer names.
Writes: evaluations (release).
Safe to run again: a finished evaluation is left alone.
"""

import statistics
from pathlib import Path

import torch

from slac_tasks.admission.withdrawals import Withdrawals
from slac_tasks.intervals import wilson
from slac_tasks.job import Job
from slac_tasks.model import Split
from slac_tasks.networks.inference import device
from slac_tasks.networks.registry import Architecture, architecture
from slac_tasks.networks.weights import decode_backbone, decode_head
from slac_tasks.progress import print_line
from slac_tasks.release.finished import need_release
from slac_tasks.storage.datasets import EVALUATIONS, MODELS, RELEASES
from slac_tasks.storage.datasets.releasing import EvaluationRow, ModelRow, ReleaseRow
from slac_tasks.storage.manifests import Drop
from slac_tasks.training.targets import answers_of, masked_targets
from slac_tasks.training.trainer import Recipe, features
from slac_tasks.training.transfer import accuracy, few_labels, interval, load_target
from slac_tasks.video.clips import Lost, gather

FEW = 30
"""With fewer answers in the testing split, those of the validation split are judged too; nothing was tuned on them."""


def share_row(measure: str, subject: str, right: int, n: int, budget: str) -> EvaluationRow:
    """Return the row of a share with its Wilson interval."""
    low, high = wilson(right, n)
    return EvaluationRow(
        measure=measure, subject=subject, value=right / n, low=low, high=high, repeats=n, budget=budget
    )


def run(job: Job) -> None:
    """Judge the release's model."""
    keys = {"release": job.key("release")}
    _, release = need_release(job.datasets, job.key("release"))
    models = job.datasets.need(MODELS, **keys)
    with job.partition(EVALUATIONS, keys, inputs=[release, models]) as made:
        if made.finished:
            return
        (model,) = job.datasets.rows_of(MODELS, models)
        entry = architecture(model.architecture)

        def lost(item: str, why: str) -> None:
            made.drops.append(Drop(item=item, reason="undecodable", detail=why))

        rows = [row for row in job.datasets.rows_of(RELEASES, release) if row.category in model.categories]
        rows = Withdrawals.read(job.store).readable(rows, made.drops)
        made.write([*_testing(job, rows, model, entry, lost), *_transfer(job, model, entry, lost, made.drops)])
        for row in made.rows:
            print_line(f"evaluate: {row.measure} {row.subject} {row.value:.3f} ({row.low:.3f} to {row.high:.3f})")


def _testing(job: Job, rows: list[ReleaseRow], model: ModelRow, entry: Architecture, lost: Lost) -> list[EvaluationRow]:
    """Accuracy on answers that training did not see, beside always giving the commoner answer."""
    judged, judged_on = [row for row in rows if row.split == Split.TESTING], "testing"
    if len(judged) < FEW:
        judged, judged_on = [row for row in rows if row.split != Split.TRAINING], "testing and validation"
    wanted, answers = answers_of(judged)
    clips, pixels = gather(wanted, entry.view, job.media, lost, "decode", job.config.scoring.workers)
    if not clips:
        print_line("evaluate: no readable testing clips, so no testing accuracy")
        return []
    where = device(job.config.device)
    backbone = decode_backbone(entry, job.store.get(f"weights/{model.backbone}.pt")).to(where)
    head, categories = decode_head(entry, job.store.get(f"weights/{model.head}.pt"))
    targets = masked_targets(clips, answers, categories)
    with torch.inference_mode():
        yes = head(features(backbone, entry, pixels, where)) > 0
    asked = targets != 0
    n = int(asked.sum())
    right = int(((yes == (targets > 0)) & asked).sum())
    positive = int((targets > 0).sum())
    budget = f"{model.clips} clips, {model.steps} steps; judged on {judged_on} clips"
    return [
        share_row("testing_accuracy", "pretrained", right, n, budget),
        share_row(
            "testing_best_guess", "guess", max(positive, n - positive), n, f"the commoner answer of {judged_on} clips"
        ),
    ]


def _transfer(job: Job, model: ModelRow, entry: Architecture, lost: Lost, drops: list[Drop]) -> list[EvaluationRow]:
    """Top-1 on the target data set: the pretrained and a fresh start, the same labels, steps and seeds for both."""
    settings = job.config.training
    if not settings.transfer:
        print_line("evaluate: training.transfer is empty, so no transfer accuracy")
        return []
    folder = Path(settings.transfer)
    target = load_target(folder, entry.view, lost)
    drops += [Drop(item=name, reason="class of one split alone", detail=str(folder)) for name in target.unmatched]
    where = device(job.config.device)
    blob = job.store.get(f"weights/{model.backbone}.pt")
    found: dict[str, list[float]] = {"pretrained": [], "scratch": []}
    for seed in range(settings.seed, settings.seed + settings.transfer_seeds):
        chosen = few_labels(target.train.classes, settings.transfer_labels, seed)
        for subject, values in found.items():
            start = decode_backbone(entry, blob) if subject == "pretrained" else None
            recipe = Recipe(steps=settings.transfer_steps, batch=settings.batch, seed=seed)
            values.append(accuracy(entry, start, target.train, target.test, chosen, recipe, where, f"{subject} {seed}"))
    budget = f"{settings.transfer_labels} labels per class, {settings.transfer_steps} steps of {settings.batch}"
    rows = []
    for subject, values in found.items():
        low, high = interval(values)
        rows.append(
            EvaluationRow(
                measure="transfer_accuracy", subject=subject, value=statistics.fmean(values), low=low, high=high,
                repeats=len(values), budget=budget,
            )
        )  # fmt: skip
    return rows
