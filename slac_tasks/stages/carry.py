"""Carry answers on to other clips, and ask again where all else contradicts one.

Reads: the newest judged labels, with their people; clips, scores and features of the windows that were asked; imported
labels of their categories, with the videos of these windows; the ledger's votes, rulings, queue and known answers.
Writes: carried (labels), labels of every kind; control (labels), what each kind says of clips drawn by lot; corrections
(labels), how far imported labels were checked; accounts (labels), what people's time bought with each strategy; in the
queue, a second answer for clips whose one answer all else contradicts.
Safe to run again: finished labels are left alone, and a clip is asked again once.

Cost: every clip of the windows that were asked is read once, one category at a time. It runs before a release, not
after each batch of votes: 40 million clips with three members are 15 GB of features.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.admission.withdrawals import tombstones
from slac_tasks.errors import NotMade
from slac_tasks.job import Job
from slac_tasks.mining.measures import consensus
from slac_tasks.model import Answer, Split, round_window
from slac_tasks.networks.committees import Panel, panels_of
from slac_tasks.networks.scored import Scored, kept_features, score_manifests, scored_clips
from slac_tasks.progress import counted, print_line, track
from slac_tasks.quality.corrections import correction
from slac_tasks.storage.datasets import (
    ACCOUNTS,
    CARRIED,
    CONTROL,
    CORRECTIONS,
    IMPORTED,
    PEOPLE,
    QUALITY,
    VIDEOS,
)
from slac_tasks.storage.datasets.labelling import AccountRow, ControlRow, CorrectionRow
from slac_tasks.storage.manifests import Manifest
from slac_tasks.verification.account import account, seconds_of
from slac_tasks.verification.ballots import Bools, Floats, Ints, read_ballots
from slac_tasks.verification.carrying import CARRIED as CARRIED_ON
from slac_tasks.verification.carrying import IMPORTED as FROM_ELSEWHERE
from slac_tasks.verification.carrying import KINDS, MODEL, SETS, Abilities, Clips, Said, as_clips, log_odds_of, spread
from slac_tasks.verification.carrying import PEOPLE as PEOPLE_SAID
from slac_tasks.verification.control import GOLD, Answers, chance_of_random, control_rows, set_rows
from slac_tasks.verification.given_labels import given_in, imported_labels, imported_of
from slac_tasks.verification.label_errors import Given, doubted, standing
from slac_tasks.verification.versions import need_labels, newest
from slac_tasks.verification.votes import queued_in, rulings_on, votes_in

_SETTLED = 14.0
"""Log-odds of what a lead settled: one in a million."""


@dataclass(frozen=True, kw_only=True)
class _Beside:
    """What is learnt while the labels are made."""

    control: list[ControlRow] = field(default_factory=list)
    corrections: list[CorrectionRow] = field(default_factory=list)
    accounts: list[AccountRow] = field(default_factory=list)
    again: list[tuple[str, str]] = field(default_factory=list)
    """(clip_id, category) of the clips that are asked again."""


@dataclass(frozen=True, kw_only=True)
class _Part:
    """The clips of one category that may be labelled."""

    panel: Panel
    windows: Mapping[str, Sequence[Manifest]]
    """By window: the manifests of its clips and scores."""


def run(job: Job) -> None:
    """Carry the answers of the newest labels that were judged."""
    version = newest(job.datasets, QUALITY)
    if version is None:
        print_line("carry: finished already, no labels were judged yet")
        return
    keys = {"labels": version}
    parts = _parts(job)
    scores = [one for part in parts for made in part.windows.values() for one in made]
    imported = [job.datasets.need(IMPORTED, **one) for one in job.datasets.partitions(IMPORTED)]
    inputs = [need_labels(job.datasets, version), *scores, *imported]
    with job.partition(CONTROL, keys, inputs=inputs) as control:
        if control.finished:
            return
        beside = _Beside()
        tables = _labelled(job, version, parts, beside)
        with job.partition(CARRIED, keys, inputs=inputs) as made:
            if not made.finished:
                made.write_tables(tables)
        for _ in tables:
            # The rows were written by a call that was killed before it wrote the control: they are made again for it.
            pass
        with job.partition(ACCOUNTS, keys, inputs=inputs) as accounts:
            if not accounts.finished:
                accounts.write(beside.accounts)
        with job.partition(CORRECTIONS, keys, inputs=inputs) as corrections:
            if not corrections.finished:
                corrections.write(beside.corrections)
        control.write(beside.control)
        asked = _ask(job, beside.again)
    counts = f"{counted(made.manifest.rows, 'label')}, {counted(len(control.rows), 'row')} of the control"
    print_line(f"carry: {counts}, {counted(asked, 'clip is', 'clips are')} asked again")


def _parts(job: Job) -> list[_Part]:
    """Return the categories with votes, each with the newest panel that has scored every window that was asked."""
    committees = [row["committee"] for row in job.ledger.rows("committees")]
    seated = cache(lambda committee: panels_of(job.datasets, committee))
    asked: dict[str, set[str]] = {}
    for row in job.ledger.rows("asked_rounds"):
        asked.setdefault(row["category"], set()).add(round_window(row["round"]))
    found = []
    for category, windows in sorted(asked.items()):
        panels = [panel for one in committees if (panel := seated(one).get(category)) is not None]
        parts = [_Part(panel=panel, windows=_scored_windows(job, panel, windows)) for panel in dict.fromkeys(panels)]
        best = max(parts, key=lambda part: len(part.windows), default=None)
        if best is None or len(best.windows) < len(windows):
            missing = sorted(windows - set(best.windows if best else ()))
            print_line(f"carry: {category}: no panel has scored all of {', '.join(missing)}; nothing is carried there")
        if best is not None and best.windows:
            found.append(best)
    return found


def _scored_windows(job: Job, panel: Panel, windows: set[str]) -> dict[str, list[Manifest]]:
    found = {}
    for window in sorted(windows):
        try:
            found[window] = score_manifests(job.datasets, panel, window)
        except NotMade:
            continue
    return found


def _labelled(job: Job, version: str, parts: Sequence[_Part], beside: _Beside) -> Iterator[pa.Table]:
    """Yield the labels of each category; add to what is learnt beside."""
    gone = tombstones(job.ledger)
    gold: dict[str, dict[str, bool]] = {}
    for row in job.ledger.rows("known_answers"):
        if row["purpose"] == GOLD:
            gold.setdefault(row["category"], {})[row["clip_id"]] = row["answer"] == Answer.YES
    people = job.datasets.read(PEOPLE, ["category", "answers", "sensitivity", "specificity"], labels=version)
    abilities = Abilities.of(people.filter(people["category"].is_null()))
    imported_rows = imported_labels(job.datasets)
    for part in track(parts, len(parts), job.stage):
        category, batch = part.panel.category, int(version)
        queued = queued_in(job.ledger, category, until=batch)
        votes = votes_in(job.ledger, category, until=batch)
        clips, scored, window = _clips(job, part, gone)
        ballots, clip_ids = read_ballots(votes), scored.clips["clip_id"]
        answers, alone, in_sets = (
            Answers.of(some, queued, clip_ids) for some in (ballots, ballots.asked_alone(), ballots.asked_in_sets())
        )
        training = pc.equal(scored.clips["split"], Split.TRAINING.value).to_numpy()
        own = _own(answers.own(abilities), rulings_on(job.ledger, category, until=batch), clip_ids)
        given = _given(job, part, imported_rows, scored.clips)
        imported = standing(given, doubted(clips, given, own, teaches=training)) if given else None
        said = spread(clips, own, job.config.mining.carry_sec, teaches=training, imported=imported)
        control = list(control_rows(category, clip_ids, window, training, said, alone, abilities, job.config.review))
        beside.control.extend(control)
        beside.corrections.extend([correction(category, given, said, control)] if given else [])
        beside.control.extend(
            set_rows(category, clip_ids, training, said, in_sets, gold.get(category, {}), abilities, job.config.review)
        )
        beside.accounts.extend(account(
            category, clips, said.own, answers, seconds_of(votes, clip_ids),
            reach_sec=job.config.mining.carry_sec, teaches=training,
        ))  # fmt: skip
        once = answers.once & (said.confidence < job.config.review.again_below)
        beside.again.extend((clip, category) for clip in scored.clips["clip_id"].filter(pa.array(once)).to_pylist())
        from_sets = in_sets.yes + in_sets.no > 0
        judged = chance_of_random(alone, window, training) > 0
        if not judged.all():
            waiting = ", ".join(np.array(list(part.windows))[np.unique(window[~judged])])
            print_line(
                f"carry: {category}: no random clip of {waiting} has answers enough; nothing is carried there yet"
            )
        yield _rows(
            category, scored.clips, training, judged, said, answers, from_sets, least=job.config.review.model_least
        )


def _own(answered: Floats, settled: pa.Table, clip_ids: pa.ChunkedArray) -> Floats:
    """Return the log-odds by each clip's own answers, or by the word of a lead who settled it, shape (clips,)."""
    place = pc.index_in(clip_ids, value_set=settled["clip_id"].combine_chunks())
    yes = pc.equal(settled["answer"], Answer.YES.value).take(place)
    said = pc.if_else(yes, _SETTLED, -_SETTLED).cast(pa.float64()).fill_null(0.0).to_numpy()
    return np.where(said != 0, said, answered)


def _given(job: Job, part: _Part, labels: Sequence[tuple[Manifest, pa.Table]], clips: pa.Table) -> Given | None:
    """Return the imported labels of a category, from those of all; None where nobody imported any."""
    category = part.panel.category
    found = imported_of(labels, category)
    if not found:
        return None
    videos = [job.datasets.need(VIDEOS, category=category, window=window) for window in part.windows]
    return given_in(job.datasets, (row for _, of_origin in found for row in of_origin), videos, clips)


def _clips(job: Job, part: _Part, gone: Mapping[str, str]) -> tuple[Clips, Scored, Ints]:
    """Return the clips of a category as arrays, with what the panel said of them, and the number of each's window."""
    tables, scores, features = [], [], []
    for window, made in part.windows.items():
        scored = scored_clips(job.datasets, made).without(gone)
        kept, _, missing = kept_features(job.datasets, part.panel, window, scored.clips)
        tables.append(scored.clips)
        scores.append(scored.scores)
        features.append({} if missing else kept)
    clips = pa.concat_tables(tables)
    joint = np.concatenate(scores)
    number = np.repeat(np.arange(len(tables)), [table.num_rows for table in tables])
    return as_clips(clips, features, log_odds_of(consensus(joint))), Scored(clips=clips, scores=joint), number


def _rows(
    category: str, clips: pa.Table, training: Bools, judged: Bools, said: Said, answers: Answers, from_sets: Bools, *,
    least: float,
) -> pa.Table:  # fmt: skip
    """Return the labels of a category: people's everywhere, the others on training clips of judged windows alone."""
    kind = said.kind
    sure = (kind != KINDS.index(MODEL)) | (said.confidence >= least)
    rows = np.flatnonzero((kind == KINDS.index(PEOPLE_SAID)) | (training & judged & sure))
    taught = int((training & (said.own != 0)).sum())
    support = np.select(
        [kind == KINDS.index(one) for one in (PEOPLE_SAID, CARRIED_ON, FROM_ELSEWHERE)],
        [np.maximum(answers.yes + answers.no, 1), said.answered, 1],
        taught,
    )
    names = np.where((kind == KINDS.index(PEOPLE_SAID)) & from_sets, SETS, np.array(KINDS, dtype=object)[kind])
    table = clips.take(pa.array(rows))
    made = {
        "category": pa.repeat(category, len(rows)),
        "kind": pa.array(names[rows], pa.string()),
        "label": pa.array(np.where(said.positive[rows], 1, -1).astype(np.int8)),
        "confidence": pa.array(said.confidence[rows]),
        "support": pa.array(support[rows].astype(np.int32)),
    }
    for name, column in made.items():
        table = table.append_column(name, column)
    return table.select(CARRIED.schema.names)


def _ask(job: Job, again: Sequence[tuple[str, str]]) -> int:
    """Ask a second person about these clips; return how many are asked now and were not before."""
    if not again:
        return 0
    clip_ids, categories = zip(*again, strict=True)
    return job.ledger.run("ask_again", clip_ids=list(clip_ids), categories=list(categories))
