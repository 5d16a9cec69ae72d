"""Judge every hand-over that was not judged yet against what is expected of it.

Reads: the current partitions of every dataset with expectations, and what is known beside them: admitted videos,
tombstones, categories, the queue and known answers in the ledger, and other datasets in the store.
Writes: expectations (judged, partition), one for each hand-over; docs/v1/: pages of what was found.
Safe to run again: a partition whose generation was judged is not judged again, so the cost grows with what is new. A
critical failure ends the stage with 65, after everything was judged and written: it names the rows that are not what
their dataset promises. It does so in every run, until that partition is made again or is there no more. One bad
partition holds up no other. Of the labels the newest version is judged.

With --judged the hand-overs of one dataset, or one of them, are judged again by the suite of today: old releases by new
expectations. With --estimate it says how many hand-overs and rows there are to judge, and judges nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from slac_tasks.errors import BrokenContract, WrongArguments
from slac_tasks.given.words import wanted
from slac_tasks.job import Job, do_each
from slac_tasks.progress import counted, print_line
from slac_tasks.quality.beside import Beside
from slac_tasks.quality.expectations import EXPECTATIONS
from slac_tasks.quality.expectations.entries import Severity
from slac_tasks.quality.expectations.judging import Measured, failures, judged, measured
from slac_tasks.reports import data_docs, inspected
from slac_tasks.reports.data_docs import Docs
from slac_tasks.storage import datasets as declared
from slac_tasks.storage.datasets import LABELS
from slac_tasks.storage.datasets.judging import ExpectationRow
from slac_tasks.storage.manifests import Drop, Manifest
from slac_tasks.verification.versions import need_labels, newest_labels

_AT_ONCE = 100
"""Partitions that one suite judges; their rows are read one partition after the other."""
_NAMED = 5
"""Failures that the last line names."""


def run(job: Job) -> None:
    """Judge what was not judged yet, dataset by dataset."""
    pending = _pending(job)
    if job.estimate:
        _estimate(job, pending)
        return
    beside, written = Beside(job), set[str]()
    parts = [some[start : start + _AT_ONCE] for some in pending.values() for start in range(0, len(some), _AT_ONCE)]
    do_each(job.stage, "hand-overs", parts, lambda part: _inspect(job, part, beside, written))
    print_line(f"inspect: judged {counted(sum(map(len, pending.values())), 'new hand-over')}")
    _check_standing(job)


@dataclass(frozen=True, kw_only=True)
class _Pending:
    """A partition that is to be judged."""

    dataset: str
    keys: Mapping[str, str]


def _estimate(job: Job, pending: Mapping[str, list[_Pending]]) -> None:
    """Print what there is to judge."""
    for name, some in pending.items():
        if some:
            rows = sum(job.datasets.need(declared.ALL[name], **one.keys).rows for one in some)
            print_line(f"inspect: {name}: {counted(len(some), 'hand-over')} with {counted(rows, 'row')} to judge")
    if not any(pending.values()):
        print_line("inspect: nothing to judge")


def _pending(job: Job) -> Mapping[str, list[_Pending]]:
    """Return the partitions that are to be judged, by dataset: labels first, for `validate` takes over what is found.

    These are the ones that no inspection has judged, or those that --judged names.
    """
    again, _, partition = job.given.get("judged", "").partition("/")
    if again and again not in EXPECTATIONS:
        raise WrongArguments(f"--judged: nothing is expected of {again!r}, {wanted(again, EXPECTATIONS)}")
    names = [again] if again else EXPECTATIONS
    known = [declared.ALL[name] for name in names if name != LABELS.name]
    found = job.ledger.all(
        _Pending,
        "uninspected",
        datasets=[dataset.name for dataset in known for _ in dataset.readable],
        versions=[version for dataset in known for version in dataset.readable],
        again=job.remake or bool(again),
    )
    version = newest_labels(job.datasets)
    if version is not None and LABELS.name in names:
        keys = {"judged": LABELS.name, "partition": version}
        before, manifest = job.datasets.manifest(declared.EXPECTATIONS, **keys), need_labels(job.datasets, version)
        if job.remake or again or before is None or before.made_from.get(manifest.address) != manifest.mark:
            found.append(_Pending(dataset=LABELS.name, keys={"labels": version}))
    if partition:
        order = declared.ALL[again].keys
        found = [one for one in found if "/".join(one.keys[key] for key in order) == partition]
        if not found:
            raise WrongArguments(f"--judged: there is no {again} {partition!r}; `slac show {again}` lists them")
    labels_first = sorted(EXPECTATIONS, key=lambda name: name != LABELS.name)
    return {name: [one for one in found if one.dataset == name] for name in labels_first}


@dataclass(frozen=True, kw_only=True)
class _Standing:
    """A hand-over whose critical failures stand: its partition was not made again since it was judged."""

    keys: Mapping[str, str]
    """Of its partition of `expectations`."""
    failures: int


def _check_standing(job: Job) -> None:
    """Check that no critical failure stands, of this inspection or of an earlier one; no rows are read for it.

    Raises:
        BrokenContract: some stand.

    """
    standing = [*_standing_labels(job), *job.ledger.all(_Standing, "standing_failures", apart=LABELS.name)]
    if standing:
        found = (job.datasets.need(declared.EXPECTATIONS, **one.keys) for one in standing[:_NAMED])
        named = [f"{drop.item}: {drop.detail}" for manifest in found for drop in manifest.drops][:_NAMED]
        count = sum(one.failures for one in standing)
        raise BrokenContract(
            f"inspect: {counted(count, 'critical expectation fails', 'critical expectations fail')}, want "
            f"none: {'; '.join(named)}"
        )


def _standing_labels(job: Job) -> list[_Standing]:
    """Return the newest version of the labels, if it failed: those before it are superseded."""
    version = newest_labels(job.datasets)
    if version is None:
        return []
    keys = {"judged": LABELS.name, "partition": version}
    found = job.datasets.manifest(declared.EXPECTATIONS, **keys)
    return [_Standing(keys=keys, failures=len(found.drops))] if found and found.drops else []


def _inspect(job: Job, partitions: Sequence[_Pending], beside: Beside, written: set[str]) -> None:
    """Judge partitions of one dataset, and write what was found. A critical failure sets its hand-over aside.

    What can be read is judged and written, before a partition that cannot be read fails. `written` holds the datasets
    whose docs this inspection has written.
    """
    dataset = declared.ALL[partitions[0].dataset]
    found: list[tuple[Manifest, str, Measured]] = []

    def measure(one: _Pending) -> None:
        manifest = beside.manifest(dataset, one.keys)
        handover = beside.handover(dataset, manifest)
        found.append((manifest, handover.partition, measured(handover, EXPECTATIONS[dataset.name])))

    try:
        do_each(job.stage, dataset.name, partitions, measure)
    finally:
        verdicts = judged(dataset.name, [each for _, _, each in found], job.config.expectations).rows
        _write_docs(job, dataset.name, {one[1]: rows for one, rows in zip(found, verdicts, strict=True)}, written)
        for (manifest, partition, _), rows in zip(found, verdicts, strict=True):
            keys = {"judged": dataset.name, "partition": partition}
            name = f"{dataset.name} {partition}"
            critical = failures(rows, Severity.CRITICAL)
            with job.partition(declared.EXPECTATIONS, keys, inputs=[manifest], again=True) as made:
                made.write(rows)
                made.drops += [Drop(item=name, reason=Severity.CRITICAL, detail=line) for line in critical]
            for severity in Severity:
                for line in failures(rows, severity):
                    print_line(f"inspect: {severity}: {name}: {line}")


def _write_docs(job: Job, dataset: str, found: Mapping[str, Sequence[ExpectationRow]], written: set[str]) -> None:
    """Bring the docs of a dataset, and their index, in line with what was found of some of its hand-overs."""
    if not found:
        return
    names = [data_docs.file(name) for name in EXPECTATIONS if job.store.exists(data_docs.file(name))]
    every = {docs.dataset: docs for docs in (Docs.decode(job.store.get(name), name) for name in names)}
    moment = f"{datetime.now(UTC):%-d %b %Y, %H:%M} UTC"
    docs = Docs(dataset=dataset, inspected_at=moment)
    if dataset != LABELS.name:  # a version of the labels supersedes those before
        docs = every.get(dataset, docs)
    docs = inspected.after(docs, found, moment, goes_on=dataset in written)
    written.add(dataset)
    every[dataset] = docs
    job.store.put(data_docs.file(dataset), docs.encode())
    job.store.put(f"{data_docs.FOLDER}/{dataset}.html", inspected.page(docs).encode())
    listed = [every[name] for name in EXPECTATIONS if name in every]
    job.store.put(f"{data_docs.FOLDER}/index.html", inspected.index(listed).encode())
