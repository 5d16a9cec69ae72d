"""The command line: argv becomes a stage, a failure becomes an exit code.

The same `slac <stage> ...` line is typed by a person, run as a process by Airflow, or run in a pod.
"""

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from slac_tasks import __version__, boundary, config, signals, streams
from slac_tasks.errors import SlacError, Temporary, WrongArguments, is_disk_full
from slac_tasks.given import flags
from slac_tasks.given.folders import check_current
from slac_tasks.given.words import fault_of, printable, wanted
from slac_tasks.importing import imported
from slac_tasks.model import Window, check_slug, moment, parse_round_key, round_key
from slac_tasks.procedure import LEDGER_COMMANDS, STAGES, Part, Stage
from slac_tasks.progress import print_line
from slac_tasks.telemetry.spans import watched


@dataclass(frozen=True)
class Command:
    """A verb that is no stage."""

    module: str
    """In `slac_tasks/commands`; holds `add_arguments` and `main`; its docstring is the verb's help and has examples."""
    part: Part
    """Under which `slac --help` lists it."""
    help: str
    """One line: what it does."""


COMMANDS: Mapping[str, Command] = {
    # A second word makes it a command beside the stage of that name.
    "plan": Command("plan", Part.SEE, "say what a DAG has to do, as one line of JSON"),
    "register": Command("register", Part.COLLECT, "register a category, or all categories of the sources"),
    "retire": Command("retire", Part.COLLECT, "end a category: it is planned, asked, judged and released no more"),
    "category": Command("category", Part.COLLECT, "add a category with past windows; pause, resume or cancel them"),
    "migrate": Command("migrate", Part.SET_UP, "upgrade the ledger to this code's version"),
    "config": Command("config", Part.SET_UP, "print the settings in force, or a commented template"),
    "env": Command("env", Part.SET_UP, "print the variables that lead to the running demo"),
    "doctor": Command("doctor", Part.SET_UP, "say what is missing on this machine; --reconcile repairs the ledger"),
    "takedown": Command("takedown", Part.COLLECT, "take videos down: delete their bytes, leave them out for good"),
    "duplicates": Command("duplicates", Part.COLLECT, "undo a drop of a look-alike: say that two videos differ"),
    "exclude": Command("exclude", Part.COLLECT, "keep the validation and test videos of other benchmarks out"),
    "recheck": Command("recheck", Part.RELEASE, "say how much of a release could still be fetched"),
    "gc": Command("gc", Part.SET_UP, "delete what nobody needs: old generations, labels, weights and heads"),
    "import": Command("import_labels", Part.COLLECT, "import an existing dataset as candidates with labels"),
    "export": Command("export", Part.RELEASE, "write a release that exists in one more format"),
    "release diff": Command("release_diff", Part.RELEASE, "say what differs between two releases"),
    "release verify": Command("release_verify", Part.RELEASE, "prove that a release is what it says"),
    "evaluate segments": Command("evaluate_segments", Part.NETWORKS, "judge segments by the rules of a benchmark"),
    "show": Command("show", Part.SEE, "list a dataset, or the pairs of look-alikes: rows, drops by reason, origin"),
    "funnel": Command("funnel", Part.SEE, "print what became of everything that was found"),
    "costs": Command("costs", Part.SEE, "print what each category and each certified label cost"),
    "features": Command("features", Part.NETWORKS, "write dense features of videos, as OpenTAD and ActionFormer read"),
    "localize": Command("localize", Part.NETWORKS, "find actions in your videos: where each begins and ends"),
    "world": Command("world", Part.TRY, "make the synthetic world, or let its people answer"),
    "web": Command("web", Part.ASK, "serve the pages: review, segments, funnel, quality, releases and duplicates"),
    "mcp": Command("mcp", Part.SEE, "serve agents: the platform's numbers over the Model Context Protocol"),
    "votes": Command("votes", Part.ASK, "export and import votes; tasks for Label Studio"),
    "annotator": Command("annotator", Part.ASK, "accounts of the review page, and who reviews which category"),
    "segments": Command("segments", Part.ASK, "ask people about a network's segments, and say which ends are right"),
    "known": Command("known", Part.ASK, "clips with a known answer: gold to mix in, examples to show"),
    "demo": Command("demo", Part.TRY, "run the whole loop under Airflow on this machine"),
    "rehearse": Command("rehearse", Part.TRY, "run the whole loop on trimmed videos that you have"),
    "down": Command("down", Part.TRY, "stop what `slac demo` left running"),
}

_KEYS = "judo/2026-01-05"
"""Values of a partition's keys, for examples."""

_TRIMMED = ("SLAC_", "AWS_", "OPENLINEAGE_", "OTEL_")
"""What the names of the variables start with that the platform reads."""


class _Once(argparse.Action):
    """Keeps the value of a flag. One that is given twice is refused: nobody would hear that the first one is lost."""

    _kept_in: argparse.Namespace | None = None

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, flag: str | None = None
    ) -> None:
        if self._kept_in is namespace:
            raise argparse.ArgumentError(self, "is given twice, want it once")
        self._kept_in = namespace
        setattr(namespace, self.dest, values)


class _Parser(argparse.ArgumentParser):
    """Argparse that ends with 64, the platform's code for wrong arguments, and loses no argument."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.register("action", None, _Once)
        self.register("type", Path, flags.path)

    def error(self, message: str) -> NoReturn:
        with streams.forgiven():
            print(f"{self.format_usage()}{self.prog}: {message}", file=sys.stderr, flush=True)
        self.exit(WrongArguments.exit_code)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        # Argparse hands what a verb does not know to the parser above, whose usage says nothing of the verb's flags.
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            name = unknown[0].partition("=")[0]
            self.error(f"{name!r} is unknown, {wanted(name, self._option_string_actions)}")
        return found, unknown

    def _print_message(self, message: str, file: Any = None) -> None:
        # Argparse forgives an output that takes nothing: a help that nobody gets would end with 0.
        print(message, end="", file=file)

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        # A help that nobody reads to its end fails here, where `main` sees it, and not at the end of the process.
        streams.flush()
        super().exit(status, message)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        instead = wanted(str(value), map(str, action.choices))
        if action.nargs == argparse.PARSER and instead.startswith("want"):
            instead = f"`{self.prog} --help` lists what there is"
        raise argparse.ArgumentError(action, f"{value!r} is unknown, {instead}")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    top = _Parser(
        prog="slac",
        usage="slac [-h] [--version] <verb> ...",
        description="Sparse action labels at scale: collect, score, verify, release, pretrain.\n" + _overview(),
        epilog="`slac <verb> --help` says more of a verb, with an example.\n\n"
        "Exit codes: 0 done, 64 wrong arguments, 65 broken data, 75 try again later, 78 not configured,\n"
        "141 nobody read the output, 1 bug.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"slac {__version__}, boundary {boundary.boundary()}")
    verbs = top.add_subparsers(metavar="<verb>", help=argparse.SUPPRESS, dest="verb", required=True, prog="slac")
    for stage in STAGES.values():
        own = verbs.add_parser(
            stage.name, description=described(stage), formatter_class=argparse.RawDescriptionHelpFormatter
        )
        _stage_arguments(own, stage)
    for name in COMMANDS:
        verbs.add_parser(name, add_help=False)
    return top


def _overview() -> str:
    """Return every verb with what it does, by the parts of the work."""
    stages = [(stage.part, stage.name, stage.help) for stage in STAGES.values()]
    verbs = [*stages, *((command.part, name, command.help) for name, command in COMMANDS.items())]
    width = max(len(name) for _, name, _ in verbs)
    lines = []
    for part in Part:
        lines += ["", f"{part}:"]
        lines += [f"    {name:<{width}}  {text}" for where, name, text in verbs if where is part]
    return "\n".join(lines)


def described(stage: Stage) -> str:
    """Return what a stage's help says above its flags: what it does, an example, and what it reads and writes."""
    datasets = {"Reads": stage.reads, "Writes": stage.writes}
    seams = [f"{verb} {', '.join(names)}." for verb, names in datasets.items() if names]
    text = f"{stage.help[0].upper()}{stage.help[1:]}.\n\n  {stage.example}"
    return "\n\n".join([text, *([" ".join(seams)] if seams else [])])


def _stage_arguments(verb: argparse.ArgumentParser, stage: Stage) -> None:
    for flag in stage.command_line:
        how: dict[str, Any] = {"action": "append", "default": []} if flag.repeated else {}
        verb.add_argument(f"--{flag.name}", required=flag.required, choices=flag.choices or None, help=flag.help, **how)
    if stage.remakes:
        verb.add_argument("--remake", action="store_true", help="write a next generation of a finished dataset")
        verb.add_argument(
            "--remake-only", action="append", default=[], metavar="KEYS",
            help=f"the same for the partitions with these values of their keys, e.g. {_KEYS}; may be repeated",
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
    from slac_tasks.forgetting import names_kept
    from slac_tasks.job import Job, do_each

    values = vars(arguments)
    given = {
        flag.name: CHECKS.get(flag.name, str)(values[flag.name])
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
    if "category" in stage.keys:
        from slac_tasks.storage.categories import check_categories

        # Before the stage is imported: a network's libraries take seconds.
        check_categories(job.store, job.categories, stage.reads)
    run = imported(f"slac_tasks.stages.{stage.name}").run
    with names_kept(job):
        if stage.each:
            (name,) = stage.each
            each = dict.fromkeys(map(CHECKS.get(name, str), values[name]))
            do_each(stage.name, name, each, lambda value: run(replace(job, given={**given, name: value})))
        else:
            run(job)
    if unknown := [values for values in job.remakes if values not in job.met]:
        raise WrongArguments(
            f"--remake-only {unknown[0]}: no partition of this call has these keys, want some of one's, e.g. {_KEYS}"
        )
    return 0


def _command(name: str, rest: Sequence[str]) -> int:
    module = imported(f"slac_tasks.commands.{COMMANDS[name].module}")
    own = _Parser(prog=f"slac {name}", description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    module.add_arguments(own)
    arguments = own.parse_args(rest)
    _take_words(arguments)
    return int(module.main(arguments) or 0)


def _take_words(arguments: argparse.Namespace) -> None:
    """Read words as UTF-8, whatever the locale takes them for; paths may have any name.

    Raises:
        WrongArguments: a word cannot be stored, since it holds bytes of another encoding; or a person or a reason is
            blank.

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
    # What is kept for good says who decided, and why.
    if name == "reason" and not word.strip():
        raise WrongArguments("--reason is blank, want why")
    return _person(word) if name == "person" else word


def _person(word: str) -> str:
    """Return the name of whoever decides as votes spell it: by that spelling it is forgotten."""
    from slac_tasks.verification.people import name_of

    try:
        return name_of(word)
    except ValueError as error:
        raise WrongArguments(f"--person {error}") from error


def _named(words: Sequence[str]) -> str | None:
    """Return the command that these words begin with; None: they name a stage, or nothing."""
    return next((name for name in (" ".join(words[:2]), *words[:1]) if name in COMMANDS), None)


def _check_second_word(words: Sequence[str]) -> None:
    """Refuse `release dif`: no stage takes a word that is no flag, so it names a command beside the stage.

    Raises:
        WrongArguments: there is no such command.

    """
    if len(words) > 1 and words[0] in STAGES and not words[1].startswith("-"):
        beside = [name for name in COMMANDS if name.startswith(f"{words[0]} ")]
        name = " ".join(words[:2])
        if beside:
            raise WrongArguments(f"{name!r} is unknown, {wanted(name, beside)}")


def _adopt_demo(words: Sequence[str]) -> None:
    """Let a command work with the running demo where nothing is set that says with what."""
    name = _named(words) or "".join(words[:1])
    helps = {"-h", "--help", "--version"} & set(words)
    if helps or any(variable in os.environ for variable in config.CHOSEN):
        return
    if name in STAGES or (name in COMMANDS and name != "env" and COMMANDS[name].part is not Part.TRY):
        from slac_tasks.launcher.surroundings import running, variables

        if demo := running():
            # A stage that opens media holds no password of the ledger, here as under Airflow.
            os.environ.update(variables(demo, ledger=name not in STAGES or STAGES[name].ledger))
            print_line(f"slac {name}: works with the demo in {demo.home}")


def _run(words: Sequence[str]) -> int:
    """Run one command; what it printed has left this process when it returns."""
    _check_second_word(words if not _named(words) else ())
    _adopt_demo(words)
    if name := _named(words):
        code = _command(name, words[len(name.split()) :])
    else:
        arguments = parser().parse_args(words)
        _take_words(arguments)
        code = _job(STAGES[arguments.verb], arguments)
    streams.flush()
    return code


def _trim_variables() -> None:
    """Take the blanks from the ends of what we read: a variable from a file or a secret ends in a line break.

    A store whose name ends so would be another, empty one.
    """
    for name in [name for name in os.environ if name.startswith(_TRIMMED)]:
        os.environ[name] = os.environ[name].strip()


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code that says what became of it. The last line on stderr is the reason."""
    words = list(sys.argv[1:] if argv is None else argv)
    name = f"slac {_named(words) or words[0]}" if words else "slac"
    signals.listen()
    _trim_variables()
    # Before torch is imported. A thread of a network that waits for the others would else spin: where another program
    # needs the processor, two threads took fifteen times the processor time of one (measured).
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")

    def end(reason: object, code: int) -> int:
        streams.settle()
        with streams.forgiven():
            print_line(f"{name}: {reason}")
        return code

    streams.open_closed()
    streams.print_anywhere()
    try:
        check_current()
        boundary.check(os.environ)
        # What a person serves or looks at for hours is no span of a collector.
        with watched(name) if words and words[0] in {*STAGES, *LEDGER_COMMANDS} else nullcontext():
            return _run(words)
    except SlacError as failure:
        return end(failure, failure.exit_code)
    except signals.Stopped as stop:
        return end(stop, Temporary.exit_code)
    except KeyboardInterrupt:
        return end("stopped by hand; run again to go on", Temporary.exit_code)
    except Exception as failure:
        # Any other broken pipe is a connection of our own, hence a failure.
        if isinstance(failure, BrokenPipeError) and streams.is_unread():
            return streams.end_unread()
        if isinstance(failure, OSError) and is_disk_full(failure):
            # A copy names what it reads first, and what it writes second.
            written = failure.filename2 or failure.filename or "a file or the standard output"
            return end(f"disk is full while writing {written}", Temporary.exit_code)
        with streams.forgiven():
            traceback.print_exc()
        return end("a bug, please report the lines above", 1)


if __name__ == "__main__":
    sys.exit(main())
