"""Let the pretrained network join the committee when it is worth it, and name the windows to score again.

Reads: models and evaluations of the release, the current committee.
Writes: committees (a new one, or none); the decision, with its reason, in the ledger.
Safe to run again: a release is decided once, and a promoted network that lost its seat gets it back.
"""

from slac_tasks.errors import BrokenContract
from slac_tasks.job import Job
from slac_tasks.model import content_hash
from slac_tasks.networks.committees import PRETRAINED, adopt_committees, committee_id, merged, settled
from slac_tasks.progress import print_line
from slac_tasks.storage.datasets import CLIPS, COMMITTEES, EVALUATIONS, MODELS
from slac_tasks.storage.datasets.releasing import ModelRow
from slac_tasks.storage.datasets.scoring import CommitteeRow


def verdict(measures: dict[tuple[str, str], float], min_gain: float) -> tuple[bool, str]:
    """Return whether the network is promoted, and why, from (measure, subject) -> value (ours)."""
    found = measures.get(("testing_accuracy", "pretrained"))
    guess = measures.get(("testing_best_guess", "guess"))
    if found is None or guess is None:
        return False, "no testing clips: nothing says that the network is better than a guess"
    gain = found - guess
    text = f"testing accuracy {found:.3f} against {guess:.3f} for the best guess, want more than +{min_gain:.3f}"
    return gain > min_gain, text


def run(job: Job) -> None:
    """Decide on the release's network."""
    release = job.key("release")
    before = job.ledger.one("promotion", release=release)
    if before:
        if before["committee"]:
            _seat(job, release)
        print_line(f"promote: release {release} finished already: {before['reason']}")
        return
    rows = job.datasets.rows(EVALUATIONS, release=release)
    measures = {(row.measure, row.subject): row.value for row in rows}
    promoted, reason = verdict(measures, job.config.training.min_gain)
    committee = _seat(job, release) if promoted else None
    windows = _windows_to_rescore(job) if promoted else []
    job.ledger.run("add_promotion", release=release, committee=committee, reason=reason, rescore=windows)
    outcome = f"joins committee {committee}" if committee else "is not promoted"
    print_line(
        f"promote: the network of release {release} {outcome}: {reason}; windows to score again: {windows or 'none'}"
    )


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
            head=model.head, output=output, weights=content_hash(model.architecture, model.backbone, model.head),
            origin=f"release:{release}",
        )
        for output, category in enumerate(model.categories)
    ]  # fmt: skip


def _windows_to_rescore(job: Job) -> list[str]:
    """Return the windows with clips that nobody was asked about, newest first, within the budget of GPU hours."""
    asked = {str(row["window"]): int(row["clips"]) for row in job.ledger.rows("asked_by_window")}
    clips: dict[str, int] = {}
    for keys in job.datasets.partitions(CLIPS):
        manifest = job.datasets.need(CLIPS, **keys)
        clips[keys["window"]] = clips.get(keys["window"], 0) + manifest.rows
    left = job.config.training.rescore_gpu_hours * 3600.0 * job.config.training.clips_per_gpu_second
    windows = []
    for window in sorted(clips, reverse=True):
        if clips[window] > left:
            break
        if clips[window] > asked.get(window, 0):
            windows.append(window)
            left -= clips[window]
    return windows
