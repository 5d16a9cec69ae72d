"""One `slac` command as a task: its argv, its environment, its process, and what its exit code means to Airflow.

Failure policy, the same for processes and pods:

    exit code            what the task does
    0                    success
    64 65 78             fails at once: a retry would read the same arguments, data and settings
    75, killed, evicted  retries with back-off
    anything else        is a bug: retries once, because a bug may be a race, and then fails at once
"""

import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from logging import Logger
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.definitions.retry_policy import ExceptionRetryPolicy, RetryAction, RetryRule
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from slac_tasks import boundary
from slac_tasks.errors import BrokenContract, NotConfigured, Temporary, WrongArguments
from slac_tasks.procedure import CATEGORY, STAGES, Flag, holds_ledger

Item = Mapping[str, Any]
"""One element of a plan: the keys of one task, e.g. ``{"category": ["judo"], "window": "2026-01-05"}``."""

PAST = tuple(
    Flag(name=name, help="see `slac category --help`", required=False) for name in ("from", "to", "videos", "floor")
)
"""What can be asked of past windows."""
BY_HAND: Mapping[str, tuple[Flag, ...]] = {
    "register": (CATEGORY, Flag(name="guideline", help="what reviewers are told"), *PAST),
    "retire": (CATEGORY, Flag(name="reason", help="why"), Flag(name="person", help="who decides")),
}
"""Flags of the commands that are no stages and that have a task, which a form starts."""

FATAL = frozenset({WrongArguments.exit_code, BrokenContract.exit_code, NotConfigured.exit_code})
# 128 + n and -n: ended by SIGINT, SIGKILL (out of memory, preempted) or SIGTERM (asked to stop)
PASSING = frozenset({Temporary.exit_code, 130, 137, 143, -2, -9, -15})

ENVIRONMENT = (
    *("PATH", "HOME", "LANG", "LC_", "TZ", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH", "OMP_"),
    *("AWS_", "SLAC_", "CUDA_", "NVIDIA_", "TORCH_HOME", "XDG_CACHE_HOME"),
    *("TRACEPARENT", "OTEL_", "OPENLINEAGE_"),
    *("SSL_CERT_", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
)
"""Starts of the names of variables that a command is given; Airflow's own settings and secrets are not among them."""
TRACKERS = {"pretrain": ("MLFLOW_", "WANDB_")}
"""The same for some commands alone: who draws a curve may reach the server that shows it."""
WITHHELD = ("SLAC_DATABASE_URL", "SLAC_WEB_", "SLAC_POD", "SLAC_ALERT_")

SECONDS_TO_STOP = 10.0
"""What a command has between being asked to stop and being killed."""


def variable(name: str, environ: Mapping[str, str], otherwise: str = "") -> str:
    """Return what a variable says, without blanks around it; an empty one is as one that is not set."""
    return environ.get(name, "").strip() or otherwise


def number(name: str, environ: Mapping[str, str], otherwise: float) -> float:
    """Return the number that a variable says.

    Raises:
        NotConfigured: it says something else, or none above 0.

    """
    said = variable(name, environ, str(otherwise))
    try:
        value = float(said)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise NotConfigured(f"{name}: is {said!r}, want a number above 0")
    return value


def is_on(name: str, environ: Mapping[str, str]) -> bool:
    """Return whether a variable says yes."""
    return variable(name, environ).lower() in ("1", "true", "yes")


def filled(form: Iterable[str], context: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a form says, and who sent it: categories that were picked stand beside those that were typed.

    Blanks at the ends of a text are no part of it, and a line of blanks is none.
    """
    params = {name: _trimmed(value) for name, value in context["params"].items()}
    said = {name: params.get(name) for name in form}
    if "person" in said:
        said["person"] = context["dag_run"].triggering_user_name or "Airflow"
    return said | {"category": [*(params.get("category") or ()), *(params.get("offered") or ())]}


def _trimmed(value: Any) -> Any:
    if isinstance(value, list):
        return [one for one in map(_trimmed, value) if one != ""]
    return value.strip() if isinstance(value, str) else value


def flags(command: str) -> tuple[Flag, ...]:
    """Return the flags that a command is given from an item of a plan or from a form."""
    return BY_HAND[command] if command in BY_HAND else STAGES[command].command_line


def argv(stage: str, item: Item | Iterable[Item] | None = None) -> list[str]:
    """Return the command line of a stage for one item, or for the union of several; the same for process and pod.

    A value stands behind `=` in the word of its flag: as a word of its own, one that starts with a dash is read as a
    flag.

    Raises:
        WrongArguments: several items differ in a key that takes one value, or a value is too long for a command line.

    """
    merged = merge(item or ())
    words = ["slac", stage]
    for flag in flags(stage):
        values = merged.get(flag.filled_by, [])
        if not flag.repeated and len(values) > 1:
            raise WrongArguments(f"stage {stage}: {flag.name} is one of {', '.join(values)}, want one value")
        words += [word(flag.name, value) for value in values]
    words += [word("remake-only", values) for values in merged.get("remake", ())]
    if stage == "register":
        # A name that no source has is refused before anything fans out, and whoever sends the form wants its windows.
        words += ["--offered", "--resume"]
    return [*words, *(["--follow"] if stage in STAGES and STAGES[stage].follows else [])]


_LONGEST = 131_071
"""Bytes of the longest word with which Linux starts a program."""


def word(flag: str, text: str) -> str:
    """Return the word of a command line that gives a flag its value.

    What no command line can hold is replaced: a NUL, and half of a character (a lone surrogate). A lone `--` gets a
    space behind it: argparse before Python 3.13 takes it away, even behind `=`.

    Raises:
        WrongArguments: it is longer than a word can be.

    """
    value = ("-- " if text == "--" else text.replace("\0", "\N{REPLACEMENT CHARACTER}")).encode(errors="replace")
    if len(value) > (most := _LONGEST - len(f"--{flag}=")):
        raise WrongArguments(f"--{flag}: is {len(value)} bytes long, want at most {most}")
    return f"--{flag}={value.decode()}"


def merge(items: Item | Iterable[Item]) -> dict[str, list[str]]:
    """Return the different values of every key over one item or several, sorted; keys without a value are left out."""
    found: dict[str, set[str]] = {}
    for item in [items] if isinstance(items, Mapping) else items:
        for key, value in item.items():
            values = value if isinstance(value, list | tuple) else [value]
            # Not `in`: a floor of 0 is a wish, and equals False.
            given = (str(one) for one in values if one is not None and one is not False and one != "")
            found.setdefault(key, set()).update(given)
    return {key: sorted(values) for key, values in found.items() if values}


def environment(command: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a command may see of the worker's environment."""
    withheld = tuple(name for name in WITHHELD if not (name == "SLAC_DATABASE_URL" and holds_ledger(command)))
    given = (*ENVIRONMENT, *TRACKERS.get(command, ()))
    return {name: value for name, value in environ.items() if name.startswith(given) and not name.startswith(withheld)}


class Ended(SystemExit):
    """How a task ends whose command failed: Airflow writes no stack for an exit. It is tried again while it may be."""


class Hopeless(Ended):
    """The same, and no retry could help."""


RETRY = ExceptionRetryPolicy(rules=[RetryRule(exception=Hopeless, action=RetryAction.FAIL)])
"""What Airflow retries of our commands, beside what `judge` says of their exit codes."""


@contextmanager
def told(log: Logger) -> Iterator[None]:
    """Say once, as an error, why a command failed, and end the task without a stack."""
    try:
        yield
    except WrongArguments as wrong:
        log.error("exit code %d: %s", wrong.exit_code, wrong)
        raise Hopeless(1) from None
    except AirflowFailException as failure:
        log.error("%s", failure)
        raise Hopeless(1) from None
    except AirflowException as failure:
        log.error("%s", failure)
        raise Ended(1) from None


def judge(code: int, reason: str, try_number: int) -> None:
    """Turn a command's exit code into the end of its task.

    Raises:
        AirflowFailException: a retry is of no use.
        AirflowException: the task shall be tried again.

    """
    if code == 0:
        return
    if code in FATAL:
        raise AirflowFailException(f"exit code {code}: {reason}")
    if code not in PASSING and try_number >= 2:
        raise AirflowFailException(f"exit code {code}, a bug that came twice: {reason}")
    raise AirflowException(f"exit code {code}: {reason}")


class Process:
    """One command in a session of its own, which dies with the worker that started it."""

    def __init__(self, words: list[str], environ: Mapping[str, str], log: Logger) -> None:
        beside = os.path.join(os.path.dirname(sys.executable), words[0])
        named = variable("SLAC_COMMAND", environ)
        program = shutil.which(named) if named else shutil.which(beside) or shutil.which(words[0])
        if program is None:
            sought = f"SLAC_COMMAND: {named}" if named else f"{words[0]}: beside {sys.executable} and on the PATH"
            raise AirflowFailException(f"exit code {NotConfigured.exit_code}: {sought}: no such program")
        self._log = log
        # So begins the last line of a command that failed; `judge` says it, as an error.
        self._reason = f"{' '.join(words[:2])}: "
        self._stdout = tempfile.TemporaryFile("w+")
        self._child = subprocess.Popen(
            [program, *words[1:]],
            env={**environment(words[1], environ), boundary.VARIABLE: boundary.spoken()},
            stdin=subprocess.DEVNULL,
            stdout=self._stdout,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=_die_with(os.getpid()),
            encoding="utf-8",
        )

    def wait(self) -> tuple[int, str, str]:
        """Copy the command's talk to the task's log; return (exit code, what it printed as result, last line)."""
        last, held = "it said nothing", ""
        assert self._child.stderr is not None
        with self._child.stderr as lines:
            for line in lines:
                if held:
                    self._log.info("%s", held)
                said = line.rstrip()
                last = said or last
                held = said if said.startswith(self._reason) else ""
                if not held:
                    self._log.info("%s", said)
        code = self._child.wait()
        if held and code == 0:
            self._log.info("%s", held)
        with self._stdout as file:
            file.seek(0)
            printed = file.read().strip()
        return code, printed, last

    def stop(self) -> None:
        """Ask the command and its children to stop; kill those that do not."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._child.pid, how)
                self._child.wait(SECONDS_TO_STOP)
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue


def _die_with(parent: int) -> Any:
    """Return what a child runs before its command: Linux shall kill it when the worker is gone."""
    import ctypes

    prctl, set_pdeathsig = ctypes.CDLL(None).prctl, 1

    def prepare() -> None:
        prctl(set_pdeathsig, signal.SIGKILL)
        if os.getppid() != parent:  # the worker died before the line above
            os._exit(Temporary.exit_code)

    return prepare


class Command(BaseOperator):
    """What processes and pods share: the command line of the task, taken from its item when it runs."""

    template_fields = ("item",)
    ui_color = "#dde9f5"

    def __init__(self, *, stage: str, item: Any = None, form: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stage, self.item, self.form = stage, item, form
        # What a plan hands over is nothing where the plan itself did not run.
        self.planned = item is not None

    def words(self, context: Mapping[str, Any]) -> list[str]:
        """Return the command line.

        Raises:
            AirflowSkipException: the plan holds nothing for this stage.

        """
        if self.form:
            self.item = filled(self.form, context)
        if self.stage == "bootstrap":
            # One window teaches; items of other windows are scored by the committee that comes of it.
            items = [self.item] if isinstance(self.item, Mapping) else self.item or []
            self.item = [item for item in items if item.get("uncovered")]
        if self.item == [] or (self.planned and self.item is None):
            raise AirflowSkipException(f"{self.stage}: nothing to do")
        with told(self.log):
            return argv(self.stage, self.item)
