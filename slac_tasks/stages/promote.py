"""Let the pretrained network join the committee when it is better than the member that it replaces.

Reads: models, judged and evaluations of the release, the current committee and its scores, clips; the rates of scoring.
Writes: committees (a new one, or none); the decision, with its reason, in the ledger.
Safe to run again: a release is decided once, and a promoted network that lost its seat gets it back.

With `--explain` it prints the evidence as a table and decides nothing.
"""

import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.errors import BrokenContract
from slac_tasks.evaluation import promotion
from slac_tasks.evaluation.promotion import Scores, Verdict
from slac_tasks.job import Job
from slac_tasks.networks.committees import PRETRAINED, adopt_committees, committee_id, merged, settled, weights_of
from slac_tasks.networks.rates import Work, rates
from slac_tasks.progress import print_line
from slac_tasks.storage.datasets import CLIPS, COMMITTEES, EVALUATIONS, JUDGED, MODELS, SCORES
from slac_tasks.storage.datasets.releasing import JudgedRow, ModelRow
from slac_tasks.storage.datasets.scoring import CommitteeRow
from slac_tasks.storage.registered import at_work


def run(job: Job) -> None:
    """Decide on the release's network."""
    release = job.key("release")
    if job.explain:
        for line in promotion.table(_verdict(job, release)):
            print(line, flush=True)
        return
    before = job.ledger.one("promotion", release=release)
    if before:
        if before["committee"]:
            _seat(job, release)
        print_line(f"promote: release {release} finished already: {before['reason']}")
        return
    verdict = _verdict(job, release)
    committee = _seat(job, release) if verdict.promoted else None
    windows = _windows_to_rescore(job, release) if verdict.promoted else []
    job.ledger.run("add_promotion", release=release, committee=committee, reason=verdict.reason, rescore=windows)
    outcome = f"joins committee {committee}" if committee else "is not promoted"
    print_line(
        f"promote: the network of release {release} {outcome}: {verdict.reason}; "
        f"windows to score again: {windows or 'none'}"
    )


def _verdict(job: Job, release: str) -> Verdict:
    """Hold the network against the member that it would replace, as the committee has it that lacks the network."""
    rows = list(job.datasets.rows_of(JUDGED, job.datasets.need(JUDGED, release=release)))
    seats = _seats_without(job, release)
    members = {
        member: _scores(job, rows, [seat for seat in seats if seat.member == member])
        for member in sorted({seat.member for seat in seats})
    }
    name, scores = promotion.incumbent(rows, members, PRETRAINED)
    knobs = job.config.training
    return promotion.decide(rows, name, scores, min_gain=knobs.min_gain, max_loss=knobs.max_loss)


def _seats_without(job: Job, release: str) -> list[CommitteeRow]:
    """Return the seats of the newest committee that does not hold this release's network; none where there is none.

    A call that was cut off after the network had got its seat has to be decided as it was: nobody in the current
    committee is whom the network replaced.
    """
    adopt_committees(job.datasets, job.ledger, job.config.committee.members)
    for row in job.ledger.rows("committees"):
        seats = list(job.datasets.rows(COMMITTEES, committee=row["committee"]))
        if all(seat.origin != _origin(release) for seat in seats):
            return seats
    return []


def _origin(release: str) -> str:
    """Return what a seat of this release's network says of where it came from."""
    return f"release:{release}"


def _scores(job: Job, rows: list[JudgedRow], seats: list[CommitteeRow]) -> Scores:
    """Return what a member said of the clips that judge, as far as it scored them."""
    weights = {seat.category: seat.weights for seat in seats}
    wanted: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.window is not None and row.category in weights:
            wanted.setdefault((row.category, row.window), []).append(row.clip_id)
    found: dict[tuple[str, str], float] = {}
    for (category, window), clips in wanted.items():
        manifest = job.datasets.manifest(SCORES, category=category, window=window, weights=weights[category])
        for table in job.datasets.tables(manifest, ("clip_id", "score")) if manifest else ():
            # Few of a window's clips judge: the others become no objects.
            own = table.filter(pc.is_in(table["clip_id"], pa.array(clips)))
            for clip, score in zip(own["clip_id"].to_pylist(), own["score"].to_pylist(), strict=True):
                found[clip, category] = score
    return found


def _seat(job: Job, release: str) -> str:
    """Make sure that the current committee holds this release's network, or a newer one; return the committee's id.

    The committee is written and then adopted as any other is, so it does not matter which extensions finish meanwhile.
    """
    members = job.config.committee.members
    parent = adopt_committees(job.datasets, job.ledger, members)
    if parent is None:
        raise BrokenContract("promote: no committee yet, want one that scored the release's clips")
    models, old = job.datasets.need(MODELS, release=release), job.datasets.need(COMMITTEES, committee=parent)
    (model,) = job.datasets.rows_of(MODELS, models)
    before = list(job.datasets.rows_of(COMMITTEES, old))
    rows = settled(merged(before, rows_of_model(model, release)), members)
    if set(rows) == set(before):
        return parent
    evaluations = job.datasets.need(EVALUATIONS, release=release)
    committee = committee_id(rows)
    with job.partition(COMMITTEES, {"committee": committee}, inputs=[old, models, evaluations]) as made:
        if not made.finished:
            made.write(rows)
    return adopt_committees(job.datasets, job.ledger, members, also=[committee]) or parent


def rows_of_model(model: ModelRow, release: str) -> list[CommitteeRow]:
    """Return the rows with which a release's network takes the seat of the pretrained member."""
    return [
        CommitteeRow(
            member=PRETRAINED, architecture=model.architecture, category=category, backbone=model.backbone,
            head=model.head, output=output, weights=weights_of(model),
            origin=_origin(release),
        )
        for output, category in enumerate(model.categories)
    ]  # fmt: skip


def _clips_a_second(job: Job, model: ModelRow, release: str) -> tuple[float, str]:
    """Return how fast the network is scored, and who says so: the fastest device that did it, or the settings."""
    work = Work.of(rows_of_model(model, release), job.config.scoring)
    known = max(rates(job.store, work), key=lambda rate: rate.clips_per_s, default=None)
    return (known.clips_per_s, f"measured on {known.device}") if known else (
        job.config.training.clips_per_gpu_second, f"by the settings, since no run of {work} was measured"
    )  # fmt: skip


def _windows_to_rescore(job: Job, release: str) -> list[str]:
    """Return the windows with clips that nobody was asked about, newest first, within the budget of GPU hours.

    The network scores the categories that it learnt and that are at work; those alone cost something.
    """
    (model,) = job.datasets.rows_of(MODELS, job.datasets.need(MODELS, release=release))
    scored = [category for category in at_work(job.ledger) if category in model.categories]
    asked = {str(row["window"]): int(row["clips"]) for row in job.ledger.rows("asked_by_window", categories=scored)}
    clips: dict[str, int] = {}
    for category in scored:
        for keys in job.datasets.partitions(CLIPS, category=category):
            manifest = job.datasets.need(CLIPS, **keys)
            clips[keys["window"]] = clips.get(keys["window"], 0) + manifest.rows
    rate, source = _clips_a_second(job, model, release)
    left = job.config.training.rescore_gpu_hours * 3600.0 * rate
    print_line(f"promote: the budget is {left:,.0f} clips, at {rate:.3g} clips/s, {source}")
    windows = []
    # One of which people were asked everything costs nothing, however large it is.
    for window in sorted((one for one in clips if clips[one] > asked.get(one, 0)), reverse=True):
        if clips[window] > left:
            break
        windows.append(window)
        left -= clips[window]
    return windows
