"""The whole loop under Airflow on this machine: starts what is dead, starts the backfill, and watches."""

import os
import shlex
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing

from slac_tasks.errors import BrokenContract, NotConfigured, SlacError, Temporary, WrongArguments
from slac_tasks.launcher import visit
from slac_tasks.launcher.airflow import PROJECT, REVIEWERS, Airflow, need_dags
from slac_tasks.launcher.processes import stop_all
from slac_tasks.launcher.state import Demo
from slac_tasks.launcher.subjects import OwnVideos
from slac_tasks.launcher.watch import DAGS, Watch
from slac_tasks.model import slug
from slac_tasks.progress import counted
from slac_tasks.storage.ledger import open_ledger


def print_now(line: str) -> None:
    """Print one line for people, at once."""
    print(line, flush=True)


def run(demo: Demo, port: int | None) -> None:
    """Start what is dead, start the backfill, watch, and print what became of it."""
    need_dags()
    subject = demo.subject
    windows = subject.windows(demo.home)
    began = time.monotonic()
    print_now(f"demo: state, logs and data are in {demo.home}")
    demo.write_config()
    demo.check()
    demo.write()
    if isinstance(subject, OwnVideos):
        print_now(
            f"demo: settings for your videos are in {demo.config}: small networks that start from nothing, because"
        )
        print_now("demo: they need no download; set members and pretrained there for those that learned from Kinetics")
    demo.postgres.start()
    ledger_url, airflow_url = demo.postgres.url("slac"), demo.postgres.url("airflow")
    print_now(f"demo: Postgres runs ({time.monotonic() - began:.0f} s)")
    airflow = demo.airflow(airflow_url, ledger_url, port)
    environ = demo.environ(ledger_url)
    # Before Airflow, whose timers start at once: what they look at must exist, empty as it is.
    _slac(environ, "migrate")
    _together(lambda: _start_airflow(airflow), lambda: _make_sources(demo, environ))
    print_now(f"demo: Airflow is healthy at {airflow.url} ({time.monotonic() - began:.0f} s)")
    left = None
    if demo.people:
        with closing(open_ledger(environ)) as ledger:
            left = visit.begin(demo.home, ledger)
    closed = left is not None and left.closed
    if left and not closed:
        _start_people(demo, environ, left)
    watch = Watch(
        airflow=airflow, environ=environ, windows=windows, people=demo.people, releases=subject.releases,
        timeout_sec=subject.most_sec, course=subject.course,
    )  # fmt: skip
    if closed or _is_finished(watch):
        print_now("demo: everything finished already")
    else:
        again = watch.try_failed_again()
        if again:
            print_now(f"demo: {counted(again, 'run')} had failed; Airflow tries their failed tasks again")
        _backfill(airflow, windows)
        watch.until_done(print_now, _invitation(airflow, environ, left, began))
        end = "the loop is closed" if demo.people else "the queue waits for people"
        print_now(f"demo: {end} after {time.monotonic() - began:.0f} s")
    if left and not closed:
        stop_all([demo.reviewers])  # what is asked now is the visitor's
        with closing(open_ledger(environ)) as ledger:
            left = visit.close(demo.home, ledger, left)
    _report(demo, watch, environ)
    _print_where(demo, airflow, watch, environ, left)


def _together(*works: Callable[[], None]) -> None:
    """Do several things at the same time; raise the first failure when all have ended."""
    failures: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def _start_airflow(airflow: Airflow) -> None:
    started = airflow.start()
    print_now(f"demo: started {', '.join(started)}" if started else "demo: Airflow runs already")
    airflow.wait(DAGS)


def _make_sources(demo: Demo, environ: Mapping[str, str]) -> None:
    """Make the videos, where there are none yet, and register the categories."""
    making = demo.subject.making(demo.world)
    if making:
        print_now(f"demo: runs `slac {shlex.join(making)}`")
        _slac(environ, *making, show=True)
    guidelines = demo.subject.guidelines(demo.world)
    if not guidelines:
        print_now(_slac(environ, "register", "--from-sources"))
        return
    with closing(open_ledger(environ)) as ledger, ledger.transaction():
        for name, text in guidelines.items():
            ledger.run("register_category", category=slug(name), name=name, guideline=text)
    print_now(f"demo: registered {counted(len(guidelines), 'category')} with their guidelines")


def _start_people(demo: Demo, environ: Mapping[str, str], left: visit.Left) -> None:
    truth = (str(demo.world),) if demo.subject.has_truth else ("--assume-retrieval-is-right",)
    argv = (*_command("world", "review", *truth), "--follow", f"--leave={left.category}")
    if demo.subject.releases:
        argv = (*argv, "--until-release")
    if demo.reviewers.start(argv, os.environ | dict(environ), PROJECT):
        print_now("demo: simulated people answer what is in the queue")


def _invitation(
    airflow: Airflow, environ: Mapping[str, str], left: visit.Left | None, began: float
) -> Callable[[], None]:
    """Return what says once, as soon as it is so, that a person can answer clips while the rest goes on."""
    done = False

    def look() -> None:
        nonlocal done
        if done:
            return
        with closing(open_ledger(environ)) as ledger:
            now = visit.ask(ledger, left) if left else None
            done = bool(now.clips if now else ledger.rows("open_by_category"))
        if done:
            print_now(f"\nYou can answer now, {time.monotonic() - began:.0f} s after the start; the rest goes on")
            for line in (*visit.review_lines(now, airflow.url), _login(airflow), ""):
                print_now(line)

    return look


def _login(airflow: Airflow) -> str:
    return f"  Airflow: {airflow.url}  user admin, password {airflow.state['passwords']['admin']}"


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "slac_tasks.cli", *words]


def _slac(environ: Mapping[str, str], *words: str, show: bool = False) -> str:
    """Run one `slac` command and return what it said, shown as it comes where asked; its failure becomes ours."""
    said: list[str] = []
    with subprocess.Popen(
        _command(*words), env=os.environ | dict(environ), cwd=PROJECT, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, encoding="utf-8",
    ) as process:  # fmt: skip
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line.rstrip())
            if show:
                print_now(said[-1])
    if process.returncode:
        kinds: Sequence[type[SlacError]] = (WrongArguments, BrokenContract, Temporary, NotConfigured)
        kind = next((kind for kind in kinds if kind.exit_code == process.returncode), SlacError)
        reason = said or [f"ended with {process.returncode}"]
        raise kind(f"`slac {words[0]}`: {reason[-1]}")
    return "\n".join(said)


def _is_finished(watch: Watch) -> bool:
    return not watch.left() and not watch.running()


def _backfill(airflow: Airflow, windows: Sequence[str]) -> None:
    """Ask Airflow for the windows that have no run yet; runs of a demo that was cut off go on by themselves."""
    runs = airflow.get("dags/collect_videos/dagRuns", limit=100)["dag_runs"]
    known = {str(run.get("partition_key"))[:10] for run in runs}
    missing = [window for window in windows if window not in known]
    if not missing:
        print_now("demo: collect_videos has a run for every window; Airflow goes on")
        return
    body = {
        "dag_id": "collect_videos",
        "from_date": f"{missing[0]}T00:00:00Z",
        "to_date": f"{missing[-1]}T00:00:00Z",
        "reprocess_behavior": "none",
        "max_active_runs": 1,  # the windows come in their order
    }
    airflow.post("backfills", body)
    print_now(f"demo: started the backfill of collect_videos over {', '.join(missing)}; Airflow does the rest")


def _report(demo: Demo, watch: Watch, environ: Mapping[str, str]) -> None:
    """Print the funnel, how far it is true in a world, and what started each run."""
    sys.stdout.flush()
    for words in [("funnel",), *([("world", "measure", str(demo.world))] if demo.subject.has_truth else [])]:
        code = subprocess.run(_command(*words), env=os.environ | dict(environ), cwd=PROJECT, check=False).returncode
        if code:
            raise BrokenContract(f"demo: `slac {' '.join(words)}` ended with {code}")
    print_now("\nRuns (DAG, run type, triggered by, state: how many)")
    runs = Counter((r["dag_id"], r["run_type"], r["triggered_by"], r["state"]) for r in watch.runs())
    for (dag, kind, by, state), count in sorted(runs.items()):
        print_now(f"  {dag:20} {kind:16} {by:16} {state:8} {count:4d}")


def _print_where(
    demo: Demo, airflow: Airflow, watch: Watch, environ: Mapping[str, str], left: visit.Left | None
) -> None:
    with closing(open_ledger(environ)) as ledger:
        refused = visit.undecided(ledger)
        releases = ledger.one("last_release") is not None
        fresh = visit.unlabelled(ledger.rows("open_by_category")) if demo.people else 0
        registered = {row["category"] for row in ledger.rows("categories")}
    print_now("")
    spare = demo.subject.spare(demo.world)
    if spare and slug(spare) in registered:
        spare = None
    for line in visit.lines(left, airflow.url, refused, watch.question(), releases, spare, fresh):
        print_now(line)
    print_now(_login(airflow))
    if not demo.people:
        accounts = ", ".join(f"{name} {airflow.state['passwords'][name]}" for name in REVIEWERS)
        print_now(f"  People:  {accounts}; each has the password behind the name")
        print_now("           Airflow collects the answers by itself; `slac demo` again shows how far it is")
    print_now("  Shell:   `slac funnel` and the others work with this demo; `slac env` prints its variables")
    print_now("  Stop:    make down (or `slac down`)")
