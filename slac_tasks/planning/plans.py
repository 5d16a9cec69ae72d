"""One function per DAG: what it has to do."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta
from statistics import median

import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.admission.told_apart import undone
from slac_tasks.collect.names import terms
from slac_tasks.collect.settings import WHERE
from slac_tasks.model import round_key, round_window
from slac_tasks.networks.committees import changes, committee_key, uncovered
from slac_tasks.networks.words import FOLDER, IMAGE_TEXT, Words, encode_words
from slac_tasks.planning.batching import categories_to_score
from slac_tasks.planning.items import Item, batches, by_window, of_windows
from slac_tasks.planning.past import add_category, score_again, wanted
from slac_tasks.planning.planner import Planner
from slac_tasks.planning.retraining import Decision, Evidence, decide
from slac_tasks.progress import print_line
from slac_tasks.storage.datasets import (
    CLIPS,
    EXPECTATIONS,
    FETCHED,
    HARD_CLIPS,
    QUALITY,
    RELEASES,
    SCORES,
    VIDEOS,
)
from slac_tasks.storage.objects import put_by_content
from slac_tasks.verification import label_studio
from slac_tasks.verification.ballots import label_key

Pairs = set[tuple[str, str]]
"""(category, window)."""


def collect_videos(planner: Planner) -> list[Item]:
    """Categories that lack the videos of the window, and what is to be done again.

    What has an input that holds other rows now is made again, and drops are tried again when their time has come: of
    the window, and of all past ones too where it is the newest. So is what holds look-alikes that a person told apart:
    `deduplicate --follow` admits them.
    The newest run also goes on with past windows that people asked for. By hand also what was made with other settings.
    """
    window = planner.need_window()
    past = None if planner.is_newest_window else window
    made = {one.keys["category"] for one in planner.current(VIDEOS, window)}
    drops = _drops(planner, past)
    behind = {(keys["category"], keys["window"]) for _, keys in planner.outdated(FETCHED, VIDEOS, window=past)}
    apart = {(one.category, one.window) for one in undone(planner.known, past)}
    stale = other_settings(planner, window) if planner.stale else set()
    lacking = {(category, window) for category in planner.categories if category not in made}
    if planner.is_newest_window:
        # What people asked of past windows goes on, however far the run of `add_category` came.
        lacking |= wanted(planner, planner.backfills)
    todo = {
        pair
        for pair in lacking | drops | behind | apart | stale
        if pair[0] in planner.categories and not planner.rests(*pair)
    }
    return [
        replace(
            item,
            retry=planner.drops_before.isoformat() if drops else None,
            remake=tuple(sorted(f"{one}/{of}" for one, of in stale if one in item.category and of in item.window)),
        )
        for item in of_windows(by_window(todo), planner.settings.batch_categories)
    ]


def _drops(planner: Planner, window: str | None) -> Pairs:
    """Return where fetch dropped what it shall try again."""
    rows = planner.known.rows(
        "retryable_drops", version=FETCHED.version, before=planner.drops_before, window=window, aside=list(WHERE),
        tries=_EVER if planner.retry_drops else planner.settings.fetch.retry_drops_times,
        collect=planner.settings.digest(("collect",))["collect"],
    )  # fmt: skip
    return {(row["category"], row["window"]) for row in rows}


_EVER = 2**31 - 1
"""A person may try again as often as they like."""


def other_settings(planner: Planner, window: str | None = None) -> Pairs:
    """Return where videos were fetched or admitted with other settings than those in force."""
    return {
        (row["category"], row["window"])
        for dataset, section in ((FETCHED, "collect"), (VIDEOS, "admission"))
        for row in planner.known.rows(
            "other_settings", dataset=dataset.name, path=[section], window=window,
            value=planner.settings.digest((section,))[section],
        )
    }  # fmt: skip


def score_clips(planner: Planner) -> list[Item]:
    """Categories whose clips of the window some member of the committee has not scored; of all windows without one.

    Those that were never mined, those that hold other clips than were scored, and windows that the newest promotion
    names. A network that has joined scores no more of what was mined: that is what the promotion's budget is for, or
    `score_again`. The newest windows come first.
    """
    window = planner.need_window() if planner.window is not None else None
    members = planner.settings.committee.members
    for line in changes(planner.panels, members):
        print_line(f"plan: {line}")
    collected = _collected(planner, window)
    untaught = uncovered(planner.panels, members, {category for category, _ in collected})
    teachable = collected & _with_training(planner, untaught)
    covered = {pair for pair in collected if pair[0] in planner.panels}
    other = behind(planner, window)
    unscored = covered - (_scored(planner, window) - other) | teachable
    wanted = unscored & (other | _unmined(planner, unscored))
    # One window teaches, the newest: what only others can teach waits for the next plan.
    lesson = max((window for _, window in wanted & teachable), default="")
    lacking = tuple(sorted(category for category, window in teachable if window == lesson))
    scorable = by_window({pair for pair in wanted if pair[0] in planner.panels or pair[0] in lacking})
    todo = dict(sorted(scorable.items(), reverse=True))
    parent = planner.committee
    words = _words(planner, lacking) if lacking and IMAGE_TEXT in members else None
    committee = committee_key(parent, lesson, lacking, planner.settings.committee, words) if lacking else parent
    return [
        Item(
            category=some, window=(window,), parent=parent, committee=committee,
            uncovered=lacking if window == lesson else (), words=words if window == lesson else None,
        )
        for window, some in batches(todo, categories_to_score(planner))
    ]  # fmt: skip


def _collected(planner: Planner, window: str | None = None) -> Pairs:
    """Return where there are videos to go on with, for the plan's categories."""
    return {pair for pair, rows in planner.row_counts(VIDEOS, window).items() if rows and not planner.rests(*pair)}


def _words(planner: Planner, categories: Collection[str]) -> str:
    """Put what these categories are called into the store, and return its hash."""
    synonyms = planner.settings.collect.synonyms
    words = {
        row["category"]: Words(
            name=row["name"], synonyms=tuple(terms(row["category"], synonyms)[1:]), guideline=row["guideline"]
        )
        for row in planner.ledger.rows("categories")
        if row["category"] in categories
    }
    return put_by_content(planner.datasets.store, FOLDER, ".json", encode_words(words))


def _with_training(planner: Planner, categories: Collection[str]) -> Pairs:
    """Return where these categories have training videos; elsewhere they wait for a window that has some."""
    if not categories:
        return set()
    rows = planner.ledger.rows("training_videos", categories=sorted(categories))
    return {(row["category"], row["window"]) for row in rows}


def _scored(planner: Planner, window: str | None = None) -> Pairs:
    """Return where every member of the category's panel has scored the clips, for the plan's categories."""
    seats = [
        (one, seat.weights) for one in planner.categories if (panel := planner.panels.get(one)) for seat in panel.seats
    ]
    rows = planner.known.rows(
        "scored_clips", categories=[category for category, _ in seats], weights=[weights for _, weights in seats],
        scores=list(SCORES.readable), clips=list(CLIPS.readable), window=window,
    )  # fmt: skip
    return {(row["category"], row["window"]) for row in rows}


def behind(planner: Planner, window: str | None) -> Pairs:
    """Return where clips were cut from other videos, or scores given to other clips, than there are now."""
    seated = {(category, seat.weights) for category, panel in planner.panels.items() for seat in panel.seats}
    return {
        (keys["category"], keys["window"])
        for dataset, keys in planner.outdated(CLIPS, SCORES, window=window)
        if dataset == CLIPS.name or (keys["category"], keys["weights"]) in seated
    }


def _mined(planner: Planner) -> Pairs:
    """Return where some round was mined."""
    return {(one.keys["category"], round_window(one.keys["round"])) for one in planner.current(HARD_CLIPS)}


def _unmined(planner: Planner, todo: Pairs) -> Pairs:
    """Return where nothing was mined yet, or the newest promotion wants scores of its member."""
    promotion = planner.ledger.one("last_promotion")
    named = {str(window) for window in promotion["rescore"]} if promotion else set()
    mined = _mined(planner)
    return {(category, window) for category, window in todo if window in named or (category, window) not in mined}


def send_hard_clips(planner: Planner) -> list[Item]:
    """Rounds that every member has scored and nobody has mined, for categories whose queue runs low."""
    mining = planner.settings.mining
    enough = mining.days_of_work * mining.clips_per_person_day
    waiting = {row["category"]: int(row["clips"]) for row in planner.ledger.rows("open_by_category")}
    queued = {(row["category"], row["round"]) for row in planner.ledger.rows("queued_rounds")}
    mined = {(one.keys["category"], one.keys["round"]): one.row_count for one in planner.current(HARD_CLIPS)}
    # A round without clips is finished when it is mined, any other when its clips are queued.
    done = queued | {pair for pair, rows in mined.items() if rows == 0}
    rounds: dict[str, list[str]] = {}
    names = {category: panel.name for category, panel in planner.panels.items()}
    for category, window in sorted(_scored(planner)):
        if planner.rests(category, window):
            continue
        key = round_key(window, names[category])
        if waiting.get(category, 0) < enough and not ((category, key) in mined and (category, key) in done):
            rounds.setdefault(key, []).append(category)
    return [
        Item(category=some, round=key)
        for key, some in batches(dict(sorted(rounds.items())), planner.settings.batch_categories)
    ]


def aggregate(planner: Planner) -> list[Item]:
    """The newest batch of votes, if it has not become labels; the same of votes about segments."""
    batch = planner.ledger.one("last_batch")
    key = f"{batch['batch']:06d}" if batch else None
    if key is not None and key != planner.newest_labels():
        return [Item(labels=key)]
    segments = planner.ledger.one("last_segment_batch")
    key = f"{segments['batch']:06d}" if segments else None
    (made,) = planner.known.rows("newest_segment_labels")
    return [Item(segments=key)] if key is not None and key != made["batch"] else []


def sync_verifications(planner: Planner) -> list[Item]:
    """One item if votes wait in an outbox or may wait elsewhere, or if the newest batch has not become labels."""
    if unfinished := aggregate(planner):
        return unfinished
    if planner.environ.get(label_studio.PROJECT):
        # Only sync itself can say whether there is something new.
        return [Item(source="label-studio")]
    votes = _waiting_votes(planner)
    return [Item(votes=votes)] if votes else []


def _waiting_votes(planner: Planner) -> int:
    """Return how many votes wait in the outbox."""
    (row,) = planner.ledger.rows("outbox_size")
    return int(row["votes"])


def labels_due(planner: Planner) -> list[Item]:
    """The newest labels, if it is time to judge them: no queued clip lacks its label, or the last verdicts are old.

    It is asked when a version was made. While people answer, each few minutes make another one, and each of them would
    be judged, reported on and inspected, only to be superseded.
    """
    (last,) = planner.known.rows("last_judged")
    pause = timedelta(minutes=planner.settings.judge_pause_min)
    is_old = last["judged_at"] is None or last["judged_at"] + pause <= planner.now
    return [Item(labels=planner.newest_labels())] if is_old or _all_labelled(planner) else []


def judge(planner: Planner) -> list[Item]:
    """Categories whose labels, or what these are judged by, have changed since they were measured."""
    # Here and not above: it takes as long to import as all the rest, and most plans are made every few minutes.
    from slac_tasks.quality.judging import Judging

    version = planner.newest_labels()
    if version is None:
        return []
    judging = Judging(config=planner.settings, datasets=planner.datasets, ledger=planner.known, version=version)
    todo = {version: [one for one in judging.changed if one in planner.categories]}
    return [Item(category=some, labels=labels) for labels, some in batches(todo, planner.settings.batch_categories)]


def check_labels(planner: Planner) -> list[Item]:
    """Refused categories that wait for a person's decision, one item each."""
    return [
        Item(category=(row["category"],), name=row["name"], labels=row["labels"], reasons=tuple(row["reasons"]))
        for row in planner.ledger.rows("undecided")
    ]


def pretrain(planner: Planner) -> list[Item]:
    """The release that is not finished, or a new one if it is time; what was decided today is recorded, and why.

    It is asked by `check_labels`, so that a run of `pretrain` has work, and again by that run, which may be a person's.
    """
    found = _retraining(planner)
    known = found.evidence
    planner.ledger.run(
        "add_retrain_decision",
        day=planner.now.date(), retrain=found.retrain, release=found.release, reason=found.reason,
        new_labels=known.new_labels if known else None, age_days=known.age_days if known else None,
        drift=known.drift if known else None,
    )  # fmt: skip
    return [Item(release=found.release)] if found.release else []


def _retraining(planner: Planner) -> Decision:
    """Decide whether to release and to retrain."""
    if unfinished := planner.ledger.rows("unfinished_releases"):
        release = unfinished[0]["release"]
        return Decision(retrain=True, reason=f"{release} is not finished", release=release)
    judged = planner.newest_labels(QUALITY)
    if judged is None:
        return Decision(retrain=False, reason="no labels were judged yet")
    if planner.settings.release.wait_for_queue and not planner.at_once and not _is_quiet(planner, judged):
        return Decision(retrain=False, reason="clips wait to be mined, answered or judged")
    last = planner.ledger.one("last_release")
    age = (planner.now - last["released_at"]).total_seconds() / 86_400 if last else None
    known = Evidence(new_labels=unreleased_labels(planner, judged), age_days=age, drift=drift(planner))
    found = decide(known, planner.settings.release, at_once=planner.at_once)
    (following,) = planner.ledger.rows("next_release")
    return replace(found, release=following["release"]) if found.retrain else found


def drift(planner: Planner) -> float | None:
    """Return the median drift of the scores of the newest window that has any and was inspected.

    Of each the lower end of its interval counts: scores of few videos always lie apart from those of others.
    """
    from slac_tasks.quality.expectations.scores import SCORE_DRIFT  # takes long to import, as Judging does

    window = max((one.keys["window"] for one in planner.current(SCORES)), default=None)
    values = [
        row.value if row.low is None else row.low
        for one in planner.current(EXPECTATIONS)
        if window and one.keys["judged"] == SCORES.name and window in one.keys["partition"].split(".")
        for row in planner.datasets.rows(EXPECTATIONS, **one.keys)
        if row.name == SCORE_DRIFT and row.value is not None
    ]
    return median(values) if values else None


_HELD = ("clip_id", "category", "label")


def unreleased_labels(planner: Planner, judged: str) -> int:
    """Return how many labels of a version may be released that the last release does not hold."""
    from slac_tasks.release.releasable import releasable  # takes long to import, as Judging does

    last = planner.ledger.one("last_release")
    waiting = releasable(planner.datasets, planner.ledger, judged)
    held = planner.datasets.read(RELEASES, _HELD, release=last["release"]) if last else RELEASES.table([])
    return new_labels(waiting, held)


def new_labels(waiting: pa.Table, held: pa.Table) -> int:
    """Return how many of the waiting labels a release does not hold: clips it lacks, and labels that changed since.

    Args:
        waiting: labels, with the columns clip_id, category and label.
        held: the rows of the release, with the same columns.

    """
    known = pc.is_in(label_key(waiting), value_set=label_key(held))
    return len(waiting) - int(pc.sum(known).as_py() or 0)


def _is_quiet(planner: Planner, judged: str) -> bool:
    """Whether every collected window is mined that does not rest, every queued clip labelled, and all judged."""
    if planner.committee is None or not _all_labelled(planner):
        return False
    # Not `sync_verifications`: with Label Studio there may always be something to ask for.
    if judged != planner.newest_labels() or send_hard_clips(planner) or aggregate(planner) or _waiting_votes(planner):
        return False
    return {pair for pair in _collected(planner) if pair[0] in planner.panels} <= _mined(planner)


def _all_labelled(planner: Planner) -> bool:
    """Whether every queued clip has a label; one that is asked again has."""
    return not any(row["unlabelled"] for row in planner.ledger.rows("open_by_category"))


PLANS: dict[str, Callable[[Planner], list[Item]]] = {
    plan.__name__: plan
    for plan in (
        collect_videos, score_clips, send_hard_clips, sync_verifications, aggregate, labels_due, judge,
        check_labels, pretrain, add_category, score_again,
    )
}  # fmt: skip
