"""Turn votes into labels: a new version for the newest batch of votes, and another for that of votes about segments.

Reads: the ledger's votes, rulings, batches, queue and withdrawn videos; people's quality as of older labels; where the
committee votes, what it said in hard_clips.
Writes: label_changes, the labels of the clips that the new votes are about; or labels, the whole table: now and then,
and when there is no older version, the settings have changed, or --remake is given. With a whole table, under a method
that learns, crowd. In the queue: which clips want more answers and which are done;
in the list for the pages: what stands of them. For votes about segments:
segment_labels and segment_people, whole tables both, and which segments want more answers.
Safe to run again: finished when no batch is newer than the labels.

A version holds what a whole table would hold, under a count of votes. Under a method that learns, the clips of
`label_changes` are decided under what the last whole table learnt, and all clips are decided again by the next one.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.errors import NotMade
from slac_tasks.job import Job
from slac_tasks.procedure import STAGES
from slac_tasks.progress import print_line, track
from slac_tasks.storage.datasets import (
    CROWD,
    LABEL_CHANGES,
    LABELS,
    PEOPLE,
    SEGMENT_LABELS,
    SEGMENT_PEOPLE,
    SEGMENT_VOTES,
    VOTES,
)
from slac_tasks.storage.declarations import Dataset
from slac_tasks.storage.manifests import Manifest
from slac_tasks.verification import methods, votes
from slac_tasks.verification.aggregation.crowd import Crowd, Scores
from slac_tasks.verification.annotators import RANDOM
from slac_tasks.verification.ballots import Ballots, Decisions, clip_key, label_table, read_ballots
from slac_tasks.verification.outcome import NEWEST_LABELS, list_labels, queue_changes, settle
from slac_tasks.verification.ruled import ruled
from slac_tasks.verification.segments.deciding import SegmentVote, decide
from slac_tasks.verification.segments.measuring import AskedSegment, label_row, person_rows, settled
from slac_tasks.verification.versions import FORMS, is_whole_due, labels_manifest, pieces

_TOUCHED = (votes.clips_with_votes, votes.clips_ruled_on)
"""What names the clips that batches are about."""
_PART_ROWS = 100_000
"""Labels in one part of a whole table, at least; the last part may have fewer."""


@dataclass(frozen=True, kw_only=True)
class _Version:
    """The version of the labels that this call makes."""

    batch: int
    """The newest batch that it contains."""
    earlier: tuple[Manifest, ...]
    """The pieces of the version before it; none: there is none."""
    judged: Manifest | None
    """The newest dataset `people` of an older version: what a version rests on never changes."""

    @property
    def key(self) -> str:
        """Its name."""
        return f"{self.batch:06d}"

    @property
    def before(self) -> int:
        """The newest batch of the version before it."""
        return int(self.earlier[-1].keys["labels"]) if self.earlier else 0


def run(job: Job) -> None:
    """Make the version of the labels that contains the newest batch; the same of the labels of segments."""
    with job.alone(NEWEST_LABELS):
        last, segments = job.ledger.one("last_batch"), job.ledger.one("last_segment_batch")
        if last is None and segments is None:
            print_line("aggregate: finished already, no votes yet")
        if last is not None:
            _aggregate_clips(job, last["batch"])
        if segments is not None:
            _aggregate_segments(job, segments["batch"])


def _aggregate_clips(job: Job, batch: int) -> None:
    version = _version(job, batch)
    if _is_whole(job, version):
        _write_whole(job, version)
    else:
        _write_changes(job, version)


def _version(job: Job, batch: int) -> _Version:
    key = f"{batch:06d}"
    before, judged = _newest(job, key, *FORMS), _newest(job, key, PEOPLE)
    return _Version(
        batch=batch,
        earlier=_pieces(job, labels_manifest(job.datasets, before)) if before else (),
        judged=job.datasets.need(PEOPLE, labels=judged) if judged else None,
    )


def _pieces(job: Job, written: Manifest | None) -> tuple[Manifest, ...]:
    """Return the pieces of a version; none where there is no such version, or one is lost that it builds on."""
    if written is None:
        return ()
    try:
        return tuple(pieces(job.datasets, written))
    except NotMade as failure:
        print_line(f"aggregate: {written.address} builds on what is lost, {failure}; a whole table follows")
        return ()


def _learnt(job: Job, version: _Version) -> Manifest | None:
    """Return what the last whole table learnt; None: the method learns nothing, or it is lost."""
    return job.datasets.manifest(CROWD, **version.earlier[0].keys) if methods.learns(job.config.aggregation) else None


def _newest(job: Job, before: str, *of: Dataset[Any]) -> str | None:
    """Return the newest older version of the labels that one of these datasets has. The ledger knows: no listing."""
    (found,) = job.ledger.rows("newest_labels", datasets=[dataset.name for dataset in of], before=before)
    return None if found["labels"] is None else str(found["labels"])


def _is_whole(job: Job, version: _Version) -> bool:
    """Whether the version is written as a whole table; one that exists stays what it is."""
    written = labels_manifest(job.datasets, version.key)
    if written is not None and not job.remake:
        return written.dataset == LABELS.name or not _pieces(job, written)
    if job.remake or not version.earlier:
        return True
    if methods.learns(job.config.aggregation) and _learnt(job, version) is None:
        return True
    settings = job.config.digest(STAGES[job.stage].writes[LABELS.name])
    return settings != version.earlier[-1].made_by.settings or is_whole_due(version.earlier)


def _inputs(job: Job, version: _Version, batches: list[int]) -> list[Manifest]:
    """Return what the version is made from, beside older labels."""
    stored = [job.datasets.need(VOTES, batch=f"{batch:06d}") for batch in batches]
    return [*stored, *([version.judged] if version.judged else [])]


def _write_whole(job: Job, version: _Version) -> None:
    """Decide every clip again, one category after the other."""
    # A whole table is made from all batches; the newest names them, since batches are numbered without gaps.
    inputs = _inputs(job, version, [version.batch])
    keys = {"labels": version.key}
    withdrawn = _withdrawn(job)
    learns = methods.learns(job.config.aggregation)
    if learns:
        with job.partition(CROWD, keys, inputs=inputs) as learnt:
            if not learnt.finished:
                learnt.write(_learn(job, version).rows())
        inputs.append(learnt.manifest)
    with job.partition(LABELS, keys, inputs=inputs) as made:
        if not made.finished:
            crowd = Crowd.of(job.datasets.rows_of(CROWD, learnt.manifest)) if learns else None
            made.write_tables(_in_parts(_whole(job, version, crowd)))
    if not made.finished:
        _record_withdrawn(job, version, withdrawn)


def _write_changes(job: Job, version: _Version) -> None:
    """Decide the clips that something new is known of."""
    batches = [row["batch"] for row in job.ledger.rows("batches_between", after=version.before, until=version.batch)]
    inputs = [*_inputs(job, version, batches), *version.earlier]
    withdrawn = _withdrawn(job)
    if learnt := _learnt(job, version):
        inputs.append(learnt)
    with job.partition(LABEL_CHANGES, {"labels": version.key}, inputs=inputs) as made:
        if not made.finished:
            crowd = Crowd.of(job.datasets.rows_of(CROWD, learnt)) if learnt else None
            made.write_tables([_changes(job, version, withdrawn, crowd)])
    if not made.finished:
        _record_withdrawn(job, version, withdrawn)


def _whole(job: Job, version: _Version, crowd: Crowd | None) -> Iterator[pa.Table]:
    """Yield the labels of each category, sorted, and bring its clips in the queue in line with them."""
    for queued, ballots in _by_category(job, version):
        labels = _decided(job, version, ballots, queued, crowd)
        settle(job.ledger, queue_changes(labels, queued, job.config.review.control_most))
        list_labels(job.ledger, labels)
        yield labels.select(LABELS.schema.names)


def _changes(job: Job, version: _Version, withdrawn: list[str], crowd: Crowd | None) -> pa.Table:
    """Return the labels that differ from those of the version before, and bring their clips in the queue in line."""
    until = version.batch
    touched = [read(job.ledger, after=version.before, until=until) for read in _TOUCHED]
    if changed := _set_aside_now_or_before(job, version):
        touched.append(votes.clips_of_people(job.ledger, changed, until=until))
    if withdrawn:
        touched.append(votes.clips_of_videos(job.ledger, withdrawn, until=until))
    clips = pa.concat_tables(touched).group_by(["clip_id", "category"]).aggregate([])
    queued = votes.queued(job.ledger, clips, until=until)
    ballots = read_ballots(votes.votes_on(job.ledger, clips, until=until))
    labels = _decided(job, version, ballots, queued, crowd)
    settle(job.ledger, queue_changes(labels, queued, job.config.review.control_most))
    list_labels(job.ledger, labels)
    return labels.select(LABEL_CHANGES.schema.names)


def _by_category(job: Job, version: _Version) -> Iterator[tuple[pa.Table, Ballots]]:
    """Yield what the queue holds of each category's clips with votes, and these votes."""
    categories = sorted(row["category"] for row in job.ledger.rows("categories"))
    for category in track(categories, len(categories), job.stage):
        queued = votes.queued_in(job.ledger, category, until=version.batch)
        cast = votes.votes_in(job.ledger, category, until=version.batch) if queued.num_rows else queued
        # Between the two reads the last video with votes may have been withdrawn.
        if cast.num_rows:
            yield queued, read_ballots(cast)


def _decided(job: Job, version: _Version, ballots: Ballots, queued: pa.Table, crowd: Crowd | None) -> pa.Table:
    """Return the labels of the ballots' clips, with what the queue holds of them, sorted.

    A clip that the queue has not is left out: its video was withdrawn between two reads.
    """
    labels = label_table(_decisions(job, version, ballots, queued, crowd))
    settled = [votes.rulings_on(job.ledger, one, until=version.batch) for one in ballots.categories]
    labels = ruled(labels, pa.concat_tables([votes.RULED.empty_table(), *settled]))
    place = pc.index_in(clip_key(labels), value_set=clip_key(queued))
    labels, place = labels.filter(place.is_valid()), place.drop_null()
    for name in queued.column_names:
        if name not in labels.column_names:
            labels = labels.append_column(name, queued[name].take(place))
    return labels.sort_by([("category", "ascending"), ("video_id", "ascending"), ("start_sec", "ascending")])


def _decisions(job: Job, version: _Version, ballots: Ballots, queued: pa.Table, crowd: Crowd | None) -> Decisions:
    ballots = ballots.asked(queued)
    if crowd is None:
        return methods.count(job.config.review, _random(job, version.judged))(ballots)
    return methods.model(job.config.review, job.config.aggregation, _scores(job, ballots, queued)).decide(
        ballots, crowd
    )


def _learn(job: Job, version: _Version) -> Crowd:
    """Return what all votes say of those who cast them."""
    parts = [(ballots.without_ids(), _scores(job, ballots, queued)) for queued, ballots in _by_category(job, version)]
    scores = [said for _, said in parts if said is not None]
    method = methods.model(job.config.review, job.config.aggregation, Scores.joined(scores) if scores else None)
    return method.learn(Ballots.joined([ballots for ballots, _ in parts]))


def _scores(job: Job, ballots: Ballots, queued: pa.Table) -> Scores | None:
    """Return the committee's scores of these clips, where it votes."""
    votes_too = job.config.aggregation.method == "with_committee"
    return methods.scores_of(job.datasets, ballots, queued) if votes_too else None


def _random(job: Job, judged: Manifest | None) -> frozenset[str]:
    """Return the people who click at random, over all categories together."""
    if judged is None:
        return frozenset()
    rows = job.datasets.read_all(PEOPLE, [judged], ["annotator", "category", "flags"])
    overall = rows.filter(rows["category"].is_null())
    return frozenset(row["annotator"] for row in overall.to_pylist() if RANDOM in row["flags"])


def _set_aside_now_or_before(job: Job, version: _Version) -> frozenset[str]:
    """Return the people whose answers count in this version and did not in the one before it, or the reverse."""
    if methods.learns(job.config.aggregation):
        return frozenset()
    then = [
        _random_then(job, keys, mark)
        for address, mark in version.earlier[-1].made_from.items()
        if (keys := PEOPLE.keys_at(address))
    ]
    return _random(job, version.judged) ^ (then[0] if then else frozenset())


def _random_then(job: Job, keys: Mapping[str, str], mark: str) -> frozenset[str]:
    """Return the people who clicked at random by an older judgement; written again since, where one was forgotten."""
    with suppress(NotMade):
        return _random(job, job.datasets.generation(PEOPLE, keys, mark))
    return _random(job, job.datasets.need(PEOPLE, **keys))


def _withdrawn(job: Job) -> list[str]:
    """Return the withdrawn videos whose labels no version has left out yet."""
    return [row["video_id"] for row in job.ledger.rows("unlabelled_tombstones")]


def _record_withdrawn(job: Job, version: _Version, videos: list[str]) -> None:
    """Record that this version leaves these videos out. A call that dies before has the next version do it again."""
    if videos:
        job.ledger.run("tombstones_labelled", labels=version.key, videos=videos)


def _aggregate_segments(job: Job, batch: int) -> None:
    """Decide every segment with votes up to a batch, and say how good people's answers are."""
    keys = {"batch": f"{batch:06d}"}
    inputs = [job.datasets.need(SEGMENT_VOTES, **keys)]
    segments = job.ledger.all(AskedSegment, "segments_voted_on", until=batch)
    votes: dict[str, list[SegmentVote]] = defaultdict(list)
    for vote in job.ledger.all(SegmentVote, "segment_votes_until", until=batch):
        votes[vote.segment_id].append(vote)
    settings = job.config.segments
    decided = [(one, decide(votes[one.segment_id], one.proposed, settings)) for one in segments]
    with job.partition(SEGMENT_LABELS, keys, inputs=inputs) as labels:
        if not labels.finished:
            labels.write(label_row(one, votes[one.segment_id], decision) for one, decision in decided)
            job.ledger.run_many("settle_segment", [settled(one, decision) for one, decision in decided])
    with job.partition(SEGMENT_PEOPLE, keys, inputs=inputs) as people:
        if not people.finished:
            people.write(person_rows(segments, votes, settings))


def _in_parts(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Yield the rows of small tables as tables of many rows."""
    some = [LABELS.schema.empty_table()]
    for table in tables:
        some.append(table.cast(LABELS.schema))
        if sum(one.num_rows for one in some) >= _PART_ROWS:
            yield pa.concat_tables(some)
            some = []
    if some:
        yield pa.concat_tables(some)
