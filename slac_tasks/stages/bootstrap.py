"""Train a committee from weak labels: every clip of a video is taken to show what the video was retrieved for.

Reads: clips of all categories in the window, training videos only; the parent committee; proxies; withdrawals. For the
member `image_text` also what categories are called (words/<hash>.json, of `plan`), labels and hard clips: the random
control calibrates it.
Writes: committees (committee) and the weights that it names; checkpoints until it is finished.
Safe to run again: a finished committee is left alone, and with nothing uncovered nothing is done. One that was cut off
decodes its clips again, and each member goes on from its newest checkpoint.

A member that is new is trained whole, backbone and head; with `committee.frozen` a pretrained backbone stays as it is.
One that the parent has gets a new head on its frozen backbone for the categories that it lacks. The parent's rows are
copied as they are, so scores of other categories stay what they are. A member that left the settings is copied only
where a member of the settings does not score yet.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import pyarrow.compute as pc

from slac_tasks.admission.withdrawals import Withdrawals
from slac_tasks.errors import NotMade, WrongArguments
from slac_tasks.job import Job, Partition
from slac_tasks.model import Split, Status, Strategy, View, content_hash
from slac_tasks.networks.calibration import Calibration
from slac_tasks.networks.committees import PRETRAINED, committee_key, recency, settled
from slac_tasks.networks.image_text import ImageText
from slac_tasks.networks.inference import device
from slac_tasks.networks.registry import Architecture, architecture, committee
from slac_tasks.networks.weights import decode_calibration
from slac_tasks.networks.words import FOLDER, IMAGE_TEXT, decode_words
from slac_tasks.progress import counted, print_line
from slac_tasks.storage.datasets import CLIPS, COMMITTEES, HARD_CLIPS
from slac_tasks.storage.datasets.scoring import CommitteeRow
from slac_tasks.storage.manifests import Drop, Manifest
from slac_tasks.storage.objects import put_by_content
from slac_tasks.training.teaching import ByClips, ByWords, Lesson, Member, Taught, all_learned
from slac_tasks.verification.versions import need_labels, newest_labels, read_labels
from slac_tasks.video.clips import ADDRESS, ClipAddress, addresses, balanced, gather, spread
from slac_tasks.video.lost import Lost


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
    parent, words = job.given.get("parent"), job.given.get("words")
    want = committee_key(parent, job.key("window"), job.categories, job.config.committee, words)
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
    rows = settled([*old, *_taught(footage, old, categories, made)], members)
    for member in sorted({row.member for row in old} - {row.member for row in rows}):
        print_line(f"bootstrap: {member} is not in committee.members and leaves the committee")
    made.write(rows)
    made.drops += [Drop(item=c, reason="no training clips", detail=window, retryable=True) for c in bare]
    made.drops += footage.drops.values()


def _taught(
    footage: "_Footage", old: Sequence[CommitteeRow], categories: Sequence[str], made: Partition[CommitteeRow]
) -> list[CommitteeRow]:
    """Teach every member of the settings what it does not score yet, and return what is new."""
    job = footage.job
    lessons: list[Lesson] = []
    for name in committee(job.config.committee.members):
        own = [row for row in old if row.member == name]
        lacking = [c for c in categories if c not in {row.category for row in own}]
        if lacking:
            if name == IMAGE_TEXT:
                member = _by_words(job, own, made)
            else:
                member = _by_clips(footage, name, architecture(name), made)
            lessons.append(_lesson(job, member, own, lacking))
    # A network that a release trained covers what nobody scores yet; for all else people's labels teach it.
    own = [row for row in old if row.member == PRETRAINED]
    lacking = [c for c in categories if c not in {row.category for row in old}]
    if own and lacking:
        entry = architecture(max(own, key=recency).architecture)
        lessons.append(_lesson(job, _by_clips(footage, PRETRAINED, entry, made), own, lacking))
    found = all_learned(lessons, job.config.committee, device(job.config.device))
    return [row for lesson, taught in zip(lessons, found, strict=True) for row in _rows(job, lesson, taught)]


def _lesson(job: Job, member: Member, own: Sequence[CommitteeRow], categories: Sequence[str]) -> Lesson:
    """Return what a member shall learn; `own` are the rows that it has."""
    newest = job.store.get(f"weights/{max(own, key=recency).backbone}.pt") if own else None
    return Lesson(member=member, categories=categories, newest=newest)


def _rows(job: Job, lesson: Lesson, taught: Taught) -> list[CommitteeRow]:
    """Store what a member has learned, and return its new rows."""
    name = lesson.member.name
    print_line(f"bootstrap: {name} learned {', '.join(lesson.categories)} from {taught.how}")
    backbone = put_by_content(job.store, "weights", ".pt", taught.backbone)
    head = put_by_content(job.store, "weights", ".pt", taught.head)
    return [
        CommitteeRow(
            member=name, architecture=taught.entry.name, category=category, backbone=backbone, head=head,
            output=output, weights=content_hash(taught.entry.name, backbone, head),
            origin=f"bootstrap:{job.key('window')}",
        )
        for output, category in enumerate(lesson.categories)
    ]  # fmt: skip


def _by_clips(footage: "_Footage", name: str, entry: Architecture, made: Partition[CommitteeRow]) -> Member:
    settings, where = footage.job.config.committee, device(footage.job.config.device)
    clips, pixels = footage.of(entry)
    return ByClips(
        name=name, entry=entry, clips=clips, pixels=pixels, weak=footage.weak, settings=settings, where=where,
        keeps=made.checkpoints,
    )  # fmt: skip


def _by_words(job: Job, own: Sequence[CommitteeRow], made: Partition[CommitteeRow]) -> Member:
    """Return the member that reads, with what categories are called and what the control says of its scores."""
    key = job.key("words")
    made.weights["words"] = key
    return ByWords(
        network=ImageText.load(job.config.committee.image_text),
        words=decode_words(job.store.get(f"{FOLDER}/{key}.json")),
        calibration=_calibration(job, own, made),
    )


def _calibration(job: Job, own: Sequence[CommitteeRow], made: Partition[CommitteeRow]) -> Calibration:
    """Learn a member's calibration from the random control of the categories that it has scored.

    Clips that were chosen by their scores say nothing about other clips.
    """
    version = newest_labels(job.datasets) if own else None
    if version is None:
        return Calibration()
    labels = read_labels(job.datasets, version, ["clip_id", "category", "strategy", "status", "label"])
    control = labels.filter((pc.field("strategy") == Strategy.RANDOM) & (pc.field("status") == Status.SETTLED))
    shows = {(row["clip_id"], row["category"]): row["label"] > 0 for row in control.to_pylist()}
    known = {
        row.weights: decode_calibration(architecture(row.architecture), job.store.get(f"weights/{row.head}.pt"))
        for row in own
    }
    logits: dict[tuple[str, str], float] = {}
    made.inputs.append(need_labels(job.datasets, version))
    for category in sorted({category for _, category in shows} & {row.category for row in own}):
        for keys in job.datasets.partitions(HARD_CLIPS, category=category):
            chosen = job.datasets.need(HARD_CLIPS, **keys)
            made.inputs.append(chosen)
            for clip in job.datasets.rows_of(HARD_CLIPS, chosen):
                for said in clip.scores:
                    if said.weights in known and (clip.clip_id, category) in shows:
                        logits[clip.clip_id, category] = float(known[said.weights].undone(np.array(said.score)))
    answers = np.array([shows[pair] for pair in logits], dtype=bool)
    return Calibration.learned(np.array(list(logits.values())), answers)


class _Footage:
    """The weakly labelled training clips of a window; each view is decoded once."""

    def __init__(self, job: Job, sources: Sequence[Manifest]) -> None:
        self.job = job
        self.weak: dict[str, set[str]] = {}
        withdrawals = Withdrawals.read(job.store)
        withdrawn: list[Drop] = []
        found: list[list[ClipAddress]] = []
        for source in sources:
            clips = job.datasets.read_all(CLIPS, [source], [*ADDRESS, "split"])
            training = addresses(clips.filter(pc.equal(clips["split"], Split.TRAINING.value)))
            own = withdrawals.readable(training, withdrawn)
            for clip in own:
                self.weak.setdefault(clip.clip_id, set()).add(source.keys["category"])
            found.append(spread(own, job.config.committee.clips_per_video))
        self.drops = {drop.item: drop for drop in withdrawn}
        self.chosen = balanced(found, job.config.committee.clips)
        if (all_ := len(set(chain.from_iterable(found)))) > len(self.chosen):
            print_line(f"bootstrap: {counted(len(self.chosen), 'clip')} of {all_:,} teach, as committee.clips says")
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

    def _lost(self, video_id: str, lost: Lost) -> None:
        self.drops[video_id] = lost.drop(video_id)
