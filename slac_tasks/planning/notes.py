"""What a plan leaves to people: what is stale, what is given up and what waits, in one line each."""

import json
from collections.abc import Callable, Collection, Iterator

from slac_tasks.planning.planner import Planner
from slac_tasks.planning.plans import other_settings
from slac_tasks.progress import counted
from slac_tasks.storage.datasets import CLIPS, COMMITTEES, FETCHED, VIDEOS
from slac_tasks.verification.nobody import waiting_lines

_SHOWN = 5
"""Names in a line, and lines of one kind; more are counted."""


def notes(planner: Planner, dag: str) -> list[str]:
    """Return what a person should know who reads the plan of a DAG."""
    return [*_retired(planner), *(NOTES[dag](planner) if dag in NOTES else ())]


def _retired(planner: Planner) -> Iterator[str]:
    for row in planner.ledger.rows("categories"):
        if (category := row["category"]) in planner.only and row["retired_at"] is not None:
            yield f"{category} is retired and rests; `slac retire --category {category} --undo` takes it up again"


def _collect_videos(planner: Planner) -> Iterator[str]:
    window = planner.need_window()
    if not planner.categories:
        yield "no category is registered, so there is nothing to collect; run `slac register --from-sources`"
    if stale := other_settings(planner):
        here = sum(1 for _, of in stale if of == window)
        yield (
            f"{len(stale)} (category, window) are stale, fetched or admitted with other settings; {here} of them in "
            f"{window}, which --stale makes again"
        )
    sources = json.dumps(planner.settings.collect.sources)
    if older := planner.known.rows(
        "other_settings", dataset=FETCHED.name, path=["collect", "sources"], value=sources, window=None
    ):
        yield (
            f"{len(older)} (category, window) were collected when `collect.sources` was another list; "
            "`slac discover --remake` looks there for what new sources offer, and the rest follows by itself"
        )
    (given_up,) = planner.known.rows("drops_given_up", tries=planner.settings.fetch.retry_drops_times)
    if given_up["partitions"]:
        yield (
            f"{counted(given_up['drops'], 'drop')} in {given_up['partitions']} (category, window), tried "
            f"{planner.settings.fetch.retry_drops_times + 1} times and given up; --retry-drops tries again"
        )


def _score_clips(planner: Planner) -> Iterator[str]:
    if planner.committee:
        manifest = planner.datasets.need(COMMITTEES, committee=planner.committee)
        for drop in manifest.drops:
            if drop.item not in planner.panels:
                yield f"{drop.item}: committee {planner.committee} lacks it: {drop.reason}, {drop.detail}"
    videos = planner.row_counts(VIDEOS, planner.window)
    waiting = {category for (category, _), rows in videos.items() if rows and category not in planner.panels}
    trained = {
        row["category"]
        for row in planner.known.rows("training_videos", categories=sorted(waiting))
        if planner.window in (None, row["window"])
    }
    if bare := waiting - trained:
        yield f"{_named(bare)}: no member scores it and no training video is there; it waits for a window with some"
    proposal = planner.settings.digest(("proposal",))["proposal"]
    if stale := planner.known.rows(
        "other_settings", dataset=CLIPS.name, path=["proposal"], value=proposal, window=planner.window
    ):
        yield f"{len(stale)} (category, window) are stale, cut with other settings; `slac propose --remake` cuts again"


def _send_hard_clips(planner: Planner) -> Iterator[str]:
    lines = list(waiting_lines(planner.ledger.rows("waiting_for_nobody")))
    yield from lines[:_SHOWN]
    if len(lines) > _SHOWN:
        more = counted(len(lines) - _SHOWN, "category more waits", "categories more wait")
        yield f"{more} so; `slac annotator list` names all"


def _judge(planner: Planner) -> Iterator[str]:
    registered = {row["category"] for row in planner.ledger.rows("categories")}
    if unknown := planner.settings.quality.with_floor - registered:
        yield f"{_named(unknown)}: no such category is registered, and `quality.floors` names it"


def _pretrain(planner: Planner) -> Iterator[str]:
    for row in planner.ledger.rows("retrain_decisions", days=1):
        yield f"{row['day']}: {'retrain' if row['retrain'] else 'wait'}: {row['reason']}"


def _named(names: Collection[str]) -> str:
    shown = ", ".join(sorted(names)[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


NOTES: dict[str, Callable[[Planner], Iterator[str]]] = {
    "collect_videos": _collect_videos,
    "score_clips": _score_clips,
    "send_hard_clips": _send_hard_clips,
    "judge": _judge,
    "pretrain": _pretrain,
}
