"""See how far a demo is: from the plans (what is left), the ledger (counts) and Airflow (what runs, what failed)."""

import sys
import time
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from slac_tasks import config
from slac_tasks.errors import BrokenContract, Temporary
from slac_tasks.launcher import visit
from slac_tasks.launcher.airflow import Airflow, Json
from slac_tasks.launcher.course import Course, Forecast
from slac_tasks.planning import plans
from slac_tasks.planning.planner import Planner
from slac_tasks.progress import counted
from slac_tasks.storage.datasets import QUALITY
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets

DAGS = (
    "collect_videos",
    "score_clips",
    "send_hard_clips",
    "look_for_answers",
    "sync_verifications",
    "check_labels",
    "pretrain",
    "add_category",
    "retire_category",
)

QUIET_SEC = 60.0
"""So long nothing is said at most, while a task is at work."""

_NO_WORD = ("::", "slac ", "Could not read served logs", "/")
"""So begin lines of a task's log that say nothing of how far it is: Airflow's own, paths, and the command line."""

_AT_WORK = ("running", "awaiting_input")
_FAILED = ("failed", "upstream_failed")
"""States of tasks that a look at a demo asks for, all at once: each request is work of the machine that runs it."""

_TIMED = frozenset({"send_hard_clips", "look_for_answers"})
"""DAGs that run by the clock, whether or not there is work."""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """One demo that is being watched."""

    airflow: Airflow
    environ: Mapping[str, str]
    windows: Sequence[str]
    people: bool
    """Whether somebody answers; without, a filled queue is the end."""
    releases: bool
    """Whether the demo ends with a release; the labels of a user's folder may be too few for one."""
    stall_sec: float = 420.0
    timeout_sec: float = 3600.0
    course: Course | None = None
    """How demos of this kind went; None: nothing is said of how long it may still take."""

    def until_done(self, show: Callable[[str], None], look: Callable[[], None]) -> None:
        """Return when nothing is left to do, showing now and then how far it is.

        Args:
            show: prints a line.
            look: called every few seconds, until then.

        Raises:
            BrokenContract: a task failed for good; the message ends with the last lines of its log.
            Temporary: nothing has moved and no task was at work for seven minutes, or it all takes over an hour.

        """
        began = moved = time.monotonic()
        before = shown = ""
        said = 0.0
        least = sys.maxsize
        forecast = Forecast(course=self.course) if self.course and self.people else None
        while True:
            self.airflow.raise_dead()
            tasks = self._tasks(*_FAILED, *_AT_WORK)
            self.raise_failed(tasks)
            look()
            left = self.left()
            running = self.running(tasks)
            if not left and not running:
                return
            now = time.monotonic()
            counts = self.counts()
            picture = f"{counts} {running} {left}"
            if "(" in str(running):
                moved = now  # a task at work may take its time
            # Work appears as the work before it ends: what was said to be left is never taken back.
            least = min(least, steps(left, self.people))
            left_sec = forecast.left_sec(now - began, least) if forecast else None
            if picture != before:
                moved, before = now, picture
            if now - said > (QUIET_SEC if picture == shown else 10.0):
                said, shown = now, picture
                show(_line(now - began, running, counts, todo(left, least, left_sec)))
                if word := self.word(tasks):
                    show(f"       {word}")
            if now - moved > self.stall_sec:
                raise Temporary(f"demo: nothing has moved for {self.stall_sec:.0f} s; left: {'; '.join(left)}")
            if now - began > self.timeout_sec:
                raise Temporary(f"demo: not finished after {self.timeout_sec:.0f} s; left: {'; '.join(left)}")
            time.sleep(3.0)

    def left(self) -> list[str]:
        """Return what is still to be done, in words; nothing: the loop is closed."""
        settings = config.load(self.environ)
        datasets = Datasets(open_store(settings.store_url, self.environ))
        with closing(open_ledger(self.environ)) as ledger:
            if not ledger.rows("categories"):
                return ["register the categories"]
            found = []
            for window in self.windows:
                planner = Planner(settings=settings, datasets=datasets, ledger=ledger, window=window)
                if plans.collect_videos(planner):
                    found.append(f"collect {window}")
            planner = Planner(settings=settings, datasets=datasets, ledger=ledger)
            found += [f"score {' '.join(item.window)}" for item in plans.score_clips(planner)]
            found += [f"send {item.round}" for item in plans.send_hard_clips(planner)]
            waiting = ledger.rows("open_by_category")
            if not self.people:
                return found if waiting else [*found, "fill the queue"]
            retraining, released = plans.pretrain(planner), ledger.one("last_release") is not None
            if self.releases and released and not retraining:
                return found  # what its network asks is the visitor's
            # What is asked again has a label, and may be the visitor's: nobody waits for it.
            if clips := visit.unlabelled(waiting):
                found.append(f"answer {counted(clips, 'clip')}")
            if plans.sync_verifications(planner):
                found.append("collect answers")
            if planner.newest_labels() != planner.newest_labels(QUALITY):
                found.append("check the labels")
            if retraining:
                found.append("release, pretrain, evaluate, promote")
            if not found and self.releases and not released:
                found.append("release")
            return found

    def counts(self) -> dict[str, int]:
        """Return how much there is of everything."""
        with closing(open_ledger(self.environ)) as ledger:
            totals = ledger.rows("queue_totals")
            rows = {row["dataset"]: int(row["rows"]) for row in ledger.rows("dataset_totals")}
        made = {name: rows.get(name, 0) for name in ("videos", "clips", "scores")}
        asked = {name: sum(int(row[name]) for row in totals) for name in ("queued", "waiting", "votes")}
        return made | asked

    def running(self, known: Sequence[Json] | None = None) -> list[str]:
        """Return the runs that are at work, and which tasks; of these, those that are known by `_tasks`.

        A run on a timer counts while it does more than look. A run that waits for a person's decision does not count:
        the question stays open when the demo has ended.
        """
        runs = self.airflow.get("dags/~/dagRuns", state=["running", "queued"], limit=100)["dag_runs"]
        tasks = self._tasks(*_AT_WORK) if known is None else known
        asking = {(task["dag_id"], task["dag_run_id"]) for task in tasks if task["state"] == "awaiting_input"}
        busy: dict[str, list[str]] = {}
        for run in runs:
            if run["dag_id"] not in _TIMED and (run["dag_id"], run["dag_run_id"]) not in asking:
                busy.setdefault(run["dag_id"], [])
        for task in _running(tasks):
            if task["dag_id"] not in _TIMED or task["task_id"] in ("mine", "publish"):
                busy.setdefault(task["dag_id"], []).append(task["task_id"])
        return [f"{dag}({', '.join(sorted(set(names)))})" if names else dag for dag, names in sorted(busy.items())]

    def word(self, tasks: Sequence[Json]) -> str:
        """Return the last word of a task at work: long ones say how far they are.

        Nothing, where it has said its command line alone.
        """
        first = next((task for task in _running(tasks) if task["dag_id"] not in _TIMED), None)
        if first is None:
            return ""
        lines = [line.strip() for line in self.log_of(first, lines=3).splitlines()]
        said = [line for line in lines if not line.startswith(_NO_WORD)]
        return f"{first['task_id']}: {said[-1].removeprefix(first['task_id'] + ': ')}" if said else ""

    def question(self) -> str | None:
        """Return the address at which a person answers what Airflow asks now; None: it asks nothing."""
        for task in self._tasks("awaiting_input"):
            run, index = urllib.parse.quote(task["dag_run_id"], safe=""), task["map_index"]
            mapped = f"/mapped/{index}" if index >= 0 else ""
            return (
                f"{self.airflow.url}/dags/{task['dag_id']}/runs/{run}/tasks/{task['task_id']}{mapped}/required_actions"
            )
        return None

    def _tasks(self, *states: str) -> list[Json]:
        """Return the tasks in these states, over all runs."""
        found: list[Json] = self.airflow.get("dags/~/dagRuns/~/taskInstances", state=list(states), limit=100)[
            "task_instances"
        ]
        return found

    def try_failed_again(self) -> int:
        """Clear the failed tasks of failed runs, so that Airflow runs them again; return how many runs there were."""
        failed = self.airflow.get("dags/~/dagRuns", state=["failed"], limit=100)["dag_runs"]
        for run in failed:
            path = f"dags/{run['dag_id']}/dagRuns/{urllib.parse.quote(run['dag_run_id'])}/clear"
            self.airflow.post(path, {"dry_run": False, "only_failed": True})
        return len(failed)

    def raise_failed(self, tasks: Sequence[Json]) -> None:
        """Raise when one of these tasks has failed for good.

        Raises:
            BrokenContract: with the end of its log.

        """
        failed = [task for task in tasks if task["state"] in _FAILED]
        failed.sort(key=lambda task: (task["state"], task["end_date"] or ""))
        if failed:
            first = failed[0]
            where = f"{first['dag_id']}.{first['task_id']} (run {first['dag_run_id']}, map index {first['map_index']})"
            raise BrokenContract(
                f"demo: {counted(len(failed), 'task')} failed, the first is {where}:\n{self.log_of(first)}"
            )

    def log_of(self, task: Json, lines: int = 15) -> str:
        """Return the last lines of a task's log."""
        path = (
            f"dags/{task['dag_id']}/dagRuns/{urllib.parse.quote(task['dag_run_id'])}/taskInstances/{task['task_id']}"
            f"/logs/{max(1, task['try_number'])}"
        )
        try:
            content = self.airflow.get(path, map_index=task["map_index"], full_content="true").get("content", [])
        except (BrokenContract, Temporary) as error:
            return f"(no log: {error})"
        texts = [str(entry.get("event", "")) if isinstance(entry, dict) else str(entry) for entry in content]
        return "\n".join(f"    {text}" for text in [text for text in texts if text][-lines:])

    def runs(self) -> list[Json]:
        """Return every DAG run, the oldest first."""
        found: list[Json] = []
        while True:
            page = self.airflow.get("dags/~/dagRuns", limit=100, offset=len(found), order_by="run_after")
            found += page["dag_runs"]
            if not page["dag_runs"] or len(found) >= page["total_entries"]:
                return found


def _running(tasks: Sequence[Json]) -> list[Json]:
    return [task for task in tasks if task["state"] == "running"]


_PARTS = ("release", "check", "collect answers", "answer", "fill", "send", "score", "collect", "register")
"""What `left` names, the last first."""
_ANSWERED = 4
"""So many of them follow the answers, that of answering among them."""


def steps(left: Sequence[str], people: bool) -> int:
    """Return how many steps are left: those that are known, and those that have to follow the earliest of them.

    Args:
        left: what is still to be done, in words.
        people: whether somebody answers; without, the queue is the end.

    """
    known = [next(part for part in sorted(_PARTS, key=len, reverse=True) if item.startswith(part)) for item in left]
    after = max((_PARTS.index(part) for part in known), default=0)
    return len(left) + (after if people else max(0, after - _ANSWERED))


def _line(seconds: float, running: Sequence[str], counts: Mapping[str, int], todo: str) -> str:
    figures = ", ".join(f"{value} {name}" for name, value in counts.items() if value)
    return f"{int(seconds) // 60:3d}:{int(seconds) % 60:02d}  {' '.join(running) or 'waiting'} | {figures} | {todo}"


def todo(left: Sequence[str], steps: int, left_sec: float | None) -> str:
    """Return what is left in words; `left_sec`: how many seconds it may take, None: unknown."""
    if not left:
        return "the last runs end"
    minutes = "" if left_sec is None else f", about {max(1, round(left_sec / 60))} min"
    return f"{steps} {'step' if steps == 1 else 'steps'} left{minutes}, next: {left[0]}"
