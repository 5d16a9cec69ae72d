"""Say what the pretrained network is worth: on people's own labels, and as a start for actions it never saw.

Reads: release (testing split), models, clips, gold_judges, proxies, withdrawals; the folder and lists that
training.transfer and training.transfer_lists name.
Writes: judged and evaluations (release); index.html, and the network's model card with these figures, under
reports/v1/release=<version>/.
Safe to run again: a finished evaluation is left alone, and its page and card are written again. One that was cut off
goes on in the first training of the transfer that is not done, to the figures that it would have had.
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import partial

import torch

from slac_tasks.admission.withdrawals import Withdrawals
from slac_tasks.evaluation.curve import of_transfer
from slac_tasks.evaluation.judging import Judges, Place, judges, of_testing, window_of
from slac_tasks.evaluation.transfer import Budget, Transfer, load_target
from slac_tasks.given.folders import path_of
from slac_tasks.job import Job, Partition
from slac_tasks.networks.inference import device
from slac_tasks.networks.registry import Architecture, architecture
from slac_tasks.networks.weights import decode_backbone, decode_head
from slac_tasks.progress import counted, print_line
from slac_tasks.release.finished import need_release
from slac_tasks.reports import evaluation_page
from slac_tasks.reports.model_card import CARD, with_figures
from slac_tasks.storage.datasets import CLIPS, EVALUATIONS, GOLD_JUDGES, JUDGED, MODELS, RELEASES
from slac_tasks.storage.datasets.releasing import EvaluationRow, JudgedRow, ModelRow, ReleaseRow
from slac_tasks.storage.manifests import Drop, Manifest
from slac_tasks.training.trainer import features
from slac_tasks.verification.versions import newest
from slac_tasks.video.clips import ClipAddress, NotesLost, footage, merged

_AT_A_TIME = 512
"""Clips that the network is given together: all of a release may be more than memory or the scratch disk holds."""


def run(job: Job) -> None:
    """Judge the release's model."""
    keys = {"release": job.key("release")}
    _, release = need_release(job.datasets, job.key("release"))
    models = job.datasets.need(MODELS, **keys)
    (model,) = job.datasets.rows_of(MODELS, models)
    entry = architecture(model.architecture)
    gold = _gold(job)
    with job.partition(JUDGED, keys, inputs=[release, models, *gold]) as made:
        if not made.finished:
            made.write(_judged(job, release, gold, model, entry, made))
    judged = made.manifest
    with job.partition(EVALUATIONS, keys, inputs=[judged, models]) as evaluated:
        if not evaluated.finished:
            evaluated.write(_testing(job, judged, model))
            evaluated.write(_transfer(job, model, entry, evaluated))
            for row in evaluated.rows:
                if row.category is None:
                    print_line(_line(row))
    rows = list(job.datasets.rows_of(EVALUATIONS, evaluated.manifest))
    page = evaluation_page.page(keys["release"], model, rows, list(job.datasets.rows_of(JUDGED, judged)))
    folder = f"reports/v1/release={keys['release']}"
    job.store.put(f"{folder}/index.html", page.encode())
    if model.card:
        card = with_figures(job.store.get(f"weights/{model.card}.md").decode(), rows)
        job.store.put(f"{folder}/{CARD}", card.encode())


def _line(row: EvaluationRow) -> str:
    labels = f" with {counted(row.labels, 'label')}" if row.labels else ""
    return f"evaluate: {row.measure} {row.subject}{labels} {row.value:.3f} ({row.low:.3f} to {row.high:.3f})"


def _lost(made: Partition[JudgedRow] | Partition[EvaluationRow]) -> NotesLost:
    """Return what notes a video that cannot be read as a drop."""
    return lambda item, lost: made.drops.append(lost.drop(item))


def _judged(
    job: Job, release: Manifest, gold: list[Manifest], model: ModelRow, entry: Architecture, made: Partition[JudgedRow]
) -> Iterator[JudgedRow]:
    """Yield what the network says of the clips that judge it."""
    rows = [row for row in job.datasets.rows_of(RELEASES, release) if row.category in model.categories]
    withdrawals = Withdrawals.read(job.store)
    rows = withdrawals.readable(rows, made.drops)
    # Gold that is withdrawn is left out without a word: a drop would name its video.
    known = withdrawals.readable((row for one in gold for row in job.datasets.rows_of(GOLD_JUDGES, one)), [])
    chosen = judges(rows, _clips_of(job, rows), [row for row in known if row.category in model.categories])
    print_line(f"evaluate: judged on {chosen.judged_on}, {counted(len(chosen.rows), 'answer')}")
    scores = _scores(job, chosen, model, entry, _lost(made))
    for row, weight in zip(chosen.rows, chosen.weights, strict=True):
        if (row.clip_id, row.category) in scores:
            yield JudgedRow(
                clip_id=row.clip_id, video_id=row.video_id, category=row.category, window=window_of(row),
                label=row.label, score=scores[row.clip_id, row.category], weight=weight, control=chosen.control,
            )  # fmt: skip


def _gold(job: Job) -> list[Manifest]:
    """Return the manifest of the newest gold; none: nobody has certified labels yet."""
    version = newest(job.datasets, GOLD_JUDGES)
    return [job.datasets.need(GOLD_JUDGES, labels=version)] if version else []


def _clips_of(job: Job, rows: list[ReleaseRow]) -> dict[Place, int]:
    """Return how many clips there are, for each category and window of these rows."""
    places = {(row.category, window) for row in rows if (window := window_of(row))}
    found = {place: job.datasets.manifest(CLIPS, category=place[0], window=place[1]) for place in sorted(places)}
    return {place: manifest.rows for place, manifest in found.items() if manifest}


def _scores(
    job: Job, chosen: Judges, model: ModelRow, entry: Architecture, lost: NotesLost
) -> dict[tuple[str, str], float]:
    """Return the probability of each answer's action, by (clip, category)."""
    wanted = {row.clip_id: ClipAddress.of(row) for row in chosen.rows}
    asked: defaultdict[str, list[str]] = defaultdict(list)
    for row in chosen.rows:
        asked[row.clip_id].append(row.category)
    where = device(job.config.device)
    backbone = decode_backbone(entry, job.store.get(f"weights/{model.backbone}.pt")).to(where)
    head, categories = decode_head(entry, job.store.get(f"weights/{model.head}.pt"))
    found: dict[tuple[str, str], float] = {}
    reels = footage(wanted.values(), [entry.view], job.media, lost, "judge", job.config.scoring.workers)
    for reel in merged(reels, _AT_A_TIME):
        with torch.inference_mode():
            said = torch.sigmoid(head(features(backbone, entry, reel.pixels[entry.view], where)))
        for clip, row in zip(reel.clips, said.tolist(), strict=True):
            by_category = dict(zip(categories, row, strict=True))
            found |= {(clip.clip_id, category): by_category[category] for category in asked[clip.clip_id]}
    return found


def _testing(job: Job, judged: Manifest, model: ModelRow) -> Iterator[EvaluationRow]:
    """Yield what the network is worth on answers that training did not see, beside always giving the commoner one."""
    rows = list(job.datasets.rows_of(JUDGED, judged))
    if not rows:
        print_line("evaluate: no readable testing clips, so no testing accuracy")
        return
    on = "the random control, and gold if there is some" if rows[0].control else "all answered clips, chosen ones too"
    yield from of_testing(rows, f"{counted(model.clips, 'clip')}, {counted(model.steps, 'step')}; judged on {on}")


def _transfer(
    job: Job, model: ModelRow, entry: Architecture, made: Partition[EvaluationRow]
) -> Iterator[EvaluationRow]:
    """Yield the table of the transfer: the same labels, steps and seeds for every start."""
    settings, drops = job.config.training, made.drops
    if not settings.transfer:
        print_line("evaluate: training.transfer is empty, so no transfer accuracy")
        return
    folder = path_of(settings.transfer)
    lists = [path_of(one) for one in settings.transfer_lists]
    target = load_target(folder, entry.view, _lost(made), lists, settings.transfer_clips)
    drops += [Drop(item=name, reason="class of one split alone", detail=str(folder)) for name in target.unmatched]
    drops += [Drop(item=name, reason="listed, but not there", detail=str(folder)) for name in target.missing]
    budget = Budget(
        labels=tuple(sorted(settings.transfer_labels)), steps=settings.transfer_steps, batch=settings.batch,
        seeds=range(settings.seed, settings.seed + settings.transfer_seeds), tune=settings.transfer_tune,
    )  # fmt: skip
    start = partial(decode_backbone, entry, job.store.get(f"weights/{model.backbone}.pt"))
    transfer = Transfer(
        entry=entry, start=start, target=target, budget=budget, where=device(job.config.device),
        # The folder is no input of the partition: it may hold other videos than when the run was cut off.
        keeps=made.checkpoints.of(target.contents),
    )  # fmt: skip
    every = list(transfer.outcomes())
    drops += [
        Drop(item=f"{one.subject}, {one.labels} labels", reason="diverged", detail=f"at rate {one.rate:g}")
        for one in every
        if not one.scores
    ]
    outcomes = [one for one in every if one.scores]
    given = "; the frozen network is given to every start" if entry.is_frozen else ""
    yield from of_transfer(outcomes, target.test, f"{counted(budget.steps, 'step')} of {budget.batch}{given}")
