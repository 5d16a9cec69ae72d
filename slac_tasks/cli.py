"""The command line: argv becomes a stage, a failure becomes an exit code.

The same `slac <stage> ...` line is typed by a person, run as a process by Airflow, or run in a pod.
"""

import argparse
import importlib
import os
import select
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from slac_tasks import __version__, config
from slac_tasks.errors import SlacError, Temporary, WrongArguments
from slac_tasks.model import Window, check_slug, parse_round_key
from slac_tasks.storage.objects import is_disk_full

STAGE_HELP = {
    "discover": "list the videos that the sources offer for a category in a window",
    "fetch": "download, check and decode each candidate once, into proxies",
    "deduplicate": "admit videos of a window over all categories, once each",
    "propose": "cut candidate clips inside shots",
    "bootstrap": "train a committee from weak labels for categories that have none",
    "score": "score every clip with every member of the committee",
    "mine": "choose the clips worth a person's time",
    "publish": "put chosen clips into the review queue",
    "sync": "collect new votes into a batch",
    "aggregate": "turn votes into labels",
    "validate": "judge the labels of every category against the expectations",
    "report": "write the data-quality report",
    "approve": "record a person's decision on a refused category",
    "release": "write validated labels as Parquet, HACS csv and ActivityNet json",
    "pretrain": "train a video network on a release",
    "evaluate": "compare the pretrained network with training from scratch",
    "promote": "let a better model join the committee",
}

COMMANDS = {
    # verb: (module with add_arguments and main, help)
    "plan": ("slac_tasks.commands.plan", "say what a DAG has to do, as one line of JSON"),
    "register": ("slac_tasks.commands.register", "register a category, or all categories of the sources"),
    "migrate": ("slac_tasks.commands.migrate", "bring the ledger to this code's version"),
    "doctor": ("slac_tasks.commands.doctor", "say what is missing on this machine; --reconcile repairs the ledger"),
    "takedown": ("slac_tasks.commands.takedown", "take videos down: delete their bytes, leave them out for good"),
    "exclude": ("slac_tasks.commands.exclude", "keep the validation and test videos of other benchmarks out"),
    "recheck": ("slac_tasks.commands.recheck", "say how much of a release could still be fetched"),
    "show": ("slac_tasks.commands.show", "list a dataset: rows, drops by reason, what it was made from"),
    "funnel": ("slac_tasks.commands.funnel", "print what became of everything that was found"),
    "world": ("slac_tasks.commands.world", "make the synthetic world, or let its people answer"),
    "web": ("slac_tasks.commands.web", "serve the review, funnel and quality pages"),
    "votes": ("slac_tasks.commands.votes", "export and import votes; tasks for Label Studio"),
    "annotator": ("slac_tasks.commands.annotator", "accounts of the review page, and who reviews which category"),
    "known": ("slac_tasks.commands.known", "clips with a known answer: gold to mix in, examples to show"),
    "demo": ("slac_tasks.commands.demo", "run the whole loop under Airflow on this machine"),
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
        sys.stdout.flush()
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
    for stage, keys in config.STAGES.items():
        verb = verbs.add_parser(stage, help=STAGE_HELP[stage], description=STAGE_HELP[stage])
        _stage_arguments(verb, stage, keys)
    for name, (_, text) in COMMANDS.items():
        verbs.add_parser(name, help=text, description=text, add_help=False)
    return top


def _stage_arguments(verb: argparse.ArgumentParser, stage: str, keys: tuple[str, ...]) -> None:
    if "category" in keys or stage in ("bootstrap", "approve"):
        verb.add_argument(
            "--category",
            action="append",
            default=[],
            required=stage != "bootstrap",
            help="category key; may be repeated",
        )
    for key in keys:
        if key != "category":
            verb.add_argument(f"--{key}", required=True, help=f"key of the {key}")
    if stage == "bootstrap":
        verb.add_argument("--parent", help="committee to extend; without it the new one starts from nothing")
    if stage == "approve":
        verb.add_argument("--decision", choices=("approve", "reject"), required=True)
        verb.add_argument("--reason", required=True, help="why; kept with the decision")
        verb.add_argument("--person", required=True, help="who decided")
    else:
        verb.add_argument("--remake", action="store_true", help="write a next generation of a finished dataset")


def _job(stage: str, arguments: argparse.Namespace) -> int:
    from slac_tasks.job import Job

    given = vars(arguments)
    if given.get("window"):
        Window.parse(given["window"])
    if given.get("round"):
        parse_round_key(given["round"])
    job = Job(
        stage=stage,
        config=config.load(),
        categories=tuple(check_slug(category) for category in given.get("category", ())),
        window=str(Window.parse(given["window"])) if given.get("window") else None,
        committee=given.get("committee"),
        parent=given.get("parent"),
        round=given.get("round"),
        labels=given.get("labels"),
        release=given.get("release"),
        decision=given.get("decision"),
        reason=given.get("reason"),
        person=given.get("person"),
        remake=given.get("remake", False),
    )
    importlib.import_module(f"slac_tasks.stages.{stage}").run(job)
    return 0


def _command(name: str, rest: Sequence[str]) -> int:
    module = importlib.import_module(COMMANDS[name][0])
    own = _Parser(prog=f"slac {name}", description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    module.add_arguments(own)
    return int(module.main(own.parse_args(rest)) or 0)


class _Stopped(BaseException):
    """A signal asked this process to end. No stage may take it for the failure of one of its items."""


def _stop(signum: int, frame: object) -> NoReturn:
    raise _Stopped(f"stopped by signal {signal.Signals(signum).name}; run again to go on")


def _run(words: Sequence[str]) -> int:
    """Run one command; what it printed has left this process when it returns."""
    if words and words[0] in COMMANDS:
        code = _command(words[0], words[1:])
    else:
        arguments = parser().parse_args(words)
        code = _job(arguments.verb, arguments)
    sys.stdout.flush()
    return code


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
    name = f"slac {words[0]}" if words else "slac"
    signal.signal(signal.SIGTERM, _stop)

    def end(reason: object, code: int) -> int:
        print(f"{name}: {reason}", file=sys.stderr, flush=True)
        return code

    try:
        return _run(words)
    except SlacError as failure:
        return end(failure, failure.exit_code)
    except (_Stopped, KeyboardInterrupt) as stop:
        return end(str(stop) or "stopped by hand; run again to go on", Temporary.exit_code)
    except Exception as failure:
        # Any other broken pipe is a connection of our own, hence a failure.
        if isinstance(failure, BrokenPipeError) and _is_unread():
            return _end_unread()
        if isinstance(failure, OSError) and is_disk_full(failure):
            return end(f"disk is full while writing {failure.filename or 'a file'}", Temporary.exit_code)
        traceback.print_exc()
        return end("a bug, please report the lines above", 1)


if __name__ == "__main__":
    sys.exit(main())
