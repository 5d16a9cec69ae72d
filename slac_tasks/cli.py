"""The command line: argv becomes a stage, a failure becomes an exit code.

The same `slac <stage> ...` line is typed by a person, run as a process by Airflow, or run in a pod.
"""

import argparse
import importlib
import io
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, NoReturn

from slac_tasks import __version__, config
from slac_tasks.errors import SlacError, Temporary, WrongArguments
from slac_tasks.given.words import fault_of, printable
from slac_tasks.model import Window, check_slug, moment, parse_round_key, round_key
from slac_tasks.procedure import STAGES, Stage
from slac_tasks.progress import print_line
from slac_tasks.storage.objects import is_disk_full

COMMANDS = {
    # verb: (module with add_arguments and main, help); a second word makes it a command beside the stage of that name
    "plan": ("slac_tasks.commands.plan", "say what a DAG has to do, as one line of JSON"),
    "register": ("slac_tasks.commands.register", "register a category, or all categories of the sources"),
    "migrate": ("slac_tasks.commands.migrate", "upgrade the ledger to this code's version"),
    "config": ("slac_tasks.commands.config", "print the settings in force, or a commented template"),
    "doctor": ("slac_tasks.commands.doctor", "say what is missing on this machine; --reconcile repairs the ledger"),
    "takedown": ("slac_tasks.commands.takedown", "take videos down: delete their bytes, leave them out for good"),
    "duplicates": ("slac_tasks.commands.duplicates", "undo a drop of a look-alike: say that two videos differ"),
    "exclude": ("slac_tasks.commands.exclude", "keep the validation and test videos of other benchmarks out"),
    "recheck": ("slac_tasks.commands.recheck", "say how much of a release could still be fetched"),
    "gc": ("slac_tasks.commands.gc", "delete what nobody needs: old generations, old labels, unnamed weights"),
    "import": ("slac_tasks.commands.import_labels", "import an existing dataset as candidates with labels"),
    "export": ("slac_tasks.commands.export", "write a release that exists in one more format"),
    "release diff": ("slac_tasks.commands.release_diff", "say what differs between two releases"),
    "release verify": ("slac_tasks.commands.release_verify", "prove that a release is what it says"),
    "evaluate segments": ("slac_tasks.commands.evaluate_segments", "judge segments by the rules of a benchmark"),
    "show": ("slac_tasks.commands.show", "list a dataset, or the pairs of look-alikes: rows, drops by reason, origin"),
    "funnel": ("slac_tasks.commands.funnel", "print what became of everything that was found"),
    "features": ("slac_tasks.commands.features", "write dense features of videos, as OpenTAD and ActionFormer read"),
    "localize": ("slac_tasks.commands.localize", "find actions in your videos: where each begins and ends"),
    "world": ("slac_tasks.commands.world", "make the synthetic world, or let its people answer"),
    "web": ("slac_tasks.commands.web", "serve the pages: review, segments, funnel, quality, releases and duplicates"),
    "votes": ("slac_tasks.commands.votes", "export and import votes; tasks for Label Studio"),
    "annotator": ("slac_tasks.commands.annotator", "accounts of the review page, and who reviews which category"),
    "segments": ("slac_tasks.commands.segments", "ask people about a network's segments, and say which ends are right"),
    "known": ("slac_tasks.commands.known", "clips with a known answer: gold to mix in, examples to show"),
    "demo": ("slac_tasks.commands.demo", "run the whole loop under Airflow on this machine"),
    "rehearse": ("slac_tasks.commands.rehearse", "run the whole loop on trimmed videos that you have"),
    "down": ("slac_tasks.commands.down", "stop what `slac demo` left running"),
}

UNREAD_EXIT_CODE = 141
"""128 + SIGPIPE, what a shell reports of any program whose output nobody reads to its end."""


class _Parser(argparse.ArgumentParser):
    """Argparse that ends with 64, the platform's code for wrong arguments."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(WrongArguments.exit_code, f"{self.prog}: {message}\n")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        # A help that nobody reads to its end fails here, where `main` sees it, and not at the end of the process.
        _flush()
        super().exit(status, message)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    top = _Parser(
        prog="slac",
        description="Sparse action labels at scale: collect, score, verify, release, pretrain.",
        epilog="Exit codes: 0 done, 64 wrong arguments, 65 broken data, 75 try again later, 78 not configured, "
        "141 nobody read the output, 1 bug.",
    )
    top.add_argument("--version", action="version", version=f"slac {__version__}")
    verbs = top.add_subparsers(title="stages and commands", metavar="<verb>", dest="verb", required=True)
    for stage in STAGES.values():
        _stage_arguments(verbs.add_parser(stage.name, help=stage.help, description=stage.help), stage)
    for name, (_, text) in COMMANDS.items():
        verbs.add_parser(name, help=text, description=text, add_help=False)
    return top


def _stage_arguments(verb: argparse.ArgumentParser, stage: Stage) -> None:
    for flag in stage.command_line:
        how: dict[str, Any] = {"action": "append", "default": []} if flag.repeated else {}
        verb.add_argument(f"--{flag.name}", required=flag.required, choices=flag.choices or None, help=flag.help, **how)
    if stage.remakes:
        verb.add_argument("--remake", action="store_true", help="write a next generation of a finished dataset")
        verb.add_argument(
            "--remake-only", action="append", default=[], metavar="KEYS",
            help="the same for the partitions with these values of their keys, e.g. judo/2026-01-05; may be repeated",
        )  # fmt: skip
    if stage.follows:
        verb.add_argument(
            "--follow", action="store_true", help="make again what was made from other rows than its inputs hold now"
        )
    if stage.explains:
        verb.add_argument("--explain", action="store_true", help="print the evidence as a table, and decide nothing")
    if stage.estimates:
        verb.add_argument("--estimate", action="store_true", help="print what it will take here, and do nothing")


CHECKS: Mapping[str, Callable[[str], str]] = {
    "window": lambda key: str(Window.parse(key)),
    "round": lambda key: round_key(*map(str, parse_round_key(key))),
    "retry": lambda text: moment(text).isoformat(),
}
"""How the values of flags are checked and brought into their one form."""


def _job(stage: Stage, arguments: argparse.Namespace) -> int:
    from slac_tasks.job import Job, do_each

    values = vars(arguments)

    def checked(name: str, value: str) -> str:
        return CHECKS.get(name, str)(value)

    given = {
        flag.name: checked(flag.name, values[flag.name])
        for flag in stage.command_line
        if not flag.repeated and values[flag.name] is not None
    }
    job = Job(
        stage=stage.name,
        config=config.load(),
        categories=tuple(check_slug(category) for category in values.get("category", ())),
        given=given,
        remake=values.get("remake", False),
        remakes=tuple(values.get("remake_only", ())),
        follow=values.get("follow", False),
        explain=values.get("explain", False),
        estimate=values.get("estimate", False),
    )
    run = importlib.import_module(f"slac_tasks.stages.{stage.name}").run
    if stage.each:
        (name,) = stage.each
        each = dict.fromkeys(checked(name, value) for value in values[name])
        do_each(stage.name, name, each, lambda value: run(replace(job, given={**given, name: value})))
    else:
        run(job)
    return 0


def _command(name: str, rest: Sequence[str]) -> int:
    module = importlib.import_module(COMMANDS[name][0])
    own = _Parser(prog=f"slac {name}", description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    module.add_arguments(own)
    arguments = own.parse_args(rest)
    _take_words(arguments)
    return int(module.main(arguments) or 0)


def _take_words(arguments: argparse.Namespace) -> None:
    """Read words as UTF-8, whatever the locale takes them for; paths may have any name.

    Raises:
        WrongArguments: a word cannot be stored, since it holds bytes of another encoding.

    """
    for name, value in vars(arguments).items():
        if isinstance(value, str):
            setattr(arguments, name, _word(name, value))
        elif isinstance(value, list | tuple):
            words = [_word(name, word) if isinstance(word, str) else word for word in value]
            setattr(arguments, name, type(value)(words))


def _word(name: str, word: str) -> str:
    if fault_of(word):
        with suppress(UnicodeError):
            # A locale that knows ASCII alone.
            word = os.fsencode(word).decode("utf-8")
    if fault := fault_of(word):
        raise WrongArguments(f"{name} '{printable(word)}' {fault}, want a word in UTF-8")
    return word


class _Stopped(BaseException):
    """A signal asked this process to end. No stage may take it for the failure of one of its items."""


def _stop(signum: int, frame: object) -> NoReturn:
    raise _Stopped(f"stopped by signal {signal.Signals(signum).name}; run again to go on")


def _named(words: Sequence[str]) -> str | None:
    """Return the command that these words begin with; None: they name a stage, or nothing."""
    return next((name for name in (" ".join(words[:2]), *words[:1]) if name in COMMANDS), None)


def _run(words: Sequence[str]) -> int:
    """Run one command; what it printed has left this process when it returns."""
    if name := _named(words):
        code = _command(name, words[len(name.split()) :])
    else:
        arguments = parser().parse_args(words)
        _take_words(arguments)
        code = _job(STAGES[arguments.verb], arguments)
    _flush()
    return code


def _flush() -> None:
    """Let what was printed leave this process; a shell may have closed the output (`>&-`)."""
    if sys.stdout is not None:
        sys.stdout.flush()


def _print_anywhere() -> None:
    """Let a terminal that cannot show a letter get it escaped: cron and thin images know ASCII alone."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _is_unread() -> bool:
    """Return whether stdout or stderr is a pipe whose reader has gone, as in `slac show clips | head -1`."""
    waiting = select.poll()
    for number in (1, 2):
        waiting.register(number, 0)
    return any(event & select.POLLERR for _, event in waiting.poll(0))


def _end_unread() -> int:
    """Let the rest of the output go nowhere, so that the end of the process does not fail on it as well."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return UNREAD_EXIT_CODE


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code that says what became of it. The last line on stderr is the reason."""
    words = list(sys.argv[1:] if argv is None else argv)
    name = f"slac {_named(words) or words[0]}" if words else "slac"
    signal.signal(signal.SIGTERM, _stop)

    def end(reason: object, code: int) -> int:
        print_line(f"{name}: {reason}")
        return code

    _print_anywhere()

    try:
        return _run(words)
    except SlacError as failure:
        return end(failure, failure.exit_code)
    except _Stopped as stop:
        return end(stop, Temporary.exit_code)
    except KeyboardInterrupt:
        return end("stopped by hand; run again to go on", Temporary.exit_code)
    except Exception as failure:
        # Any other broken pipe is a connection of our own, hence a failure.
        if isinstance(failure, BrokenPipeError) and _is_unread():
            return _end_unread()
        if isinstance(failure, OSError) and is_disk_full(failure):
            # A copy names what it reads first, and what it writes second.
            written = failure.filename2 or failure.filename or "a file"
            return end(f"disk is full while writing {written}", Temporary.exit_code)
        traceback.print_exc()
        return end("a bug, please report the lines above", 1)


if __name__ == "__main__":
    sys.exit(main())
