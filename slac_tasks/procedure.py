"""The procedure as data: every stage in order, with all that other parts must know of it. Standard library only.

The command line, the job, the plans, Airflow's tasks, the pods' resources, the import rules, the reference page and the
tests derive from `STAGES`. To add a stage: its entry here, its file `slac_tasks/stages/<name>.py`, its place in a DAG.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum

from slac_tasks.errors import WrongArguments
from slac_tasks.given.words import wanted

_MOST = 65_536
"""No machine has more of anything."""


class Part(StrEnum):
    """A part of the work: `slac --help` lists the verbs by it, in this order."""

    TRY = "Try it on this machine"
    SET_UP = "Set up and maintain"
    SEE = "See what there is, and what is to do"
    COLLECT = "Find and fetch videos"
    SCORE = "Cut and score clips"
    ASK = "Ask people"
    LABELS = "Make labels and judge them"
    RELEASE = "Release"
    NETWORKS = "Train and use networks"


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What a stage asks of the machine that runs it."""

    processors: int = 1
    memory_gib: int = 4
    scratch_gib: int = 10
    """Space for temporary files."""
    gpus: int = 0
    hours: int = 24
    """A run that takes longer hangs, and is stopped; the next one goes on where it was."""


@dataclass(frozen=True, kw_only=True)
class Flag:
    """One flag of a stage's command line."""

    name: str
    help: str
    required: bool = True
    repeated: bool = False
    choices: tuple[str, ...] = ()
    example: str = ""
    """A value, as the example of the stage's help has it."""
    item: str = ""
    """Key of a plan's item that fills the flag; empty: the flag's own name."""

    @property
    def filled_by(self) -> str:
        """Key of a plan's item that fills the flag."""
        return self.item or self.name

    @property
    def typed(self) -> str:
        """The flag with a value, as a person types it."""
        return f"--{self.name} {self.example or ''.join(self.choices[:1]) or self.name.upper()}"


CATEGORY = Flag(name="category", help="category key; may be repeated", repeated=True, example="judo")
KEYS: Mapping[str, Flag] = {
    flag.name: flag
    for flag in (
        CATEGORY,
        Flag(name="window", help="Monday on which the week starts, e.g. 2026-01-05", example="2026-01-05"),
        Flag(name="committee", example="c1a2b3c4",
             help="id of the committee, the networks that score; `slac show committees` lists them"),
        Flag(name="round", help="round of mining: window.panel, e.g. 2026-01-05.p3f2a9c01",
             example="2026-01-05.p3f2a9c01"),
        Flag(name="labels", help="version of the labels, e.g. 000012", example="000012"),
        Flag(name="release", help="version of the release, e.g. r0001", example="r0001"),
    )
}  # fmt: skip
"""The keys that address what stages make, as flags."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One step of the procedure: its file is `slac_tasks/stages/<name>.py`, its task and its verb have its name."""

    name: str
    help: str
    """One line: what the stage does."""
    part: Part
    """Under which `slac --help` lists it."""
    keys: tuple[str, ...] = ()
    """What addresses the work of one call; each is a flag."""
    each: tuple[str, ...] = ()
    """Keys of which a command may name several values: the stage runs once for each of them."""
    reads: tuple[str, ...] = ()
    """Datasets that it reads."""
    writes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Datasets that it writes, each with the sections of the settings that shape it."""
    ledger: bool = False
    """Holds the ledger's password. Such a stage opens no media and runs no networks."""
    machine: Machine = Machine()
    flags: tuple[Flag, ...] = ()
    """Flags beside the keys."""
    remakes: bool = True
    """Takes --remake: write a next generation of a finished dataset."""
    follows: bool = False
    """Takes --follow: make again what was made from other rows than its inputs hold now. Airflow always gives it."""
    explains: bool = False
    """Takes --explain: print the evidence for what it would decide, and decide nothing."""
    estimates: bool = False
    """Takes --estimate: print what the work will take on this machine, and do none of it."""
    alone: bool = False
    """Only one task of this stage runs at a time."""

    @property
    def command_line(self) -> tuple[Flag, ...]:
        """Every flag that carries a value, in order."""
        keys = (KEYS[key] for key in self.keys)
        return (*(replace(flag, repeated=flag.repeated or flag.name in self.each) for flag in keys), *self.flags)

    @property
    def example(self) -> str:
        """A command that runs the stage, with every flag that it cannot do without."""
        return " ".join(["slac", self.name, *(flag.typed for flag in self.command_line if flag.required)])


_PIXELS = Machine(processors=4, memory_gib=4, scratch_gib=40, hours=48)
_NETWORKS = Machine(processors=8, memory_gib=24, scratch_gib=40, gpus=1, hours=48)

STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(
            name="discover", part=Part.COLLECT,
            help="list the videos that the sources offer for a category in a window",
            keys=("category", "window"), each=("window",), writes={"candidates": ()}, ledger=True,
        ),
        Stage(
            name="fetch", part=Part.COLLECT, help="download, check and decode each candidate once, into renditions",
            keys=("category", "window"), each=("window",), reads=("candidates",), writes={"fetched": ("collect",)},
            machine=_PIXELS, follows=True,
            flags=(
                Flag(name="retry", help="moment: try again what was dropped before it and a later try may get",
                     required=False),
            ),
        ),
        Stage(
            name="deduplicate", part=Part.COLLECT, help="admit videos of a window over all categories, once each",
            keys=("window",), each=("window",), reads=("candidates", "fetched"), writes={"videos": ("admission",)},
            ledger=True, alone=True, follows=True,
        ),
        Stage(
            name="propose", part=Part.SCORE, help="cut candidate clips inside shots",
            keys=("category", "window"), reads=("videos",), writes={"clips": ("proposal",)},
            machine=Machine(processors=4, memory_gib=4, scratch_gib=20), follows=True,
        ),
        Stage(
            name="bootstrap", part=Part.SCORE, help="train a committee from weak labels for categories that have none",
            keys=("window", "committee"), reads=("clips", "committees", "labels", "label_changes", "hard_clips"),
            writes={"committees": ("committee",)},
            machine=_NETWORKS,
            flags=(
                Flag(name="parent", help="committee to extend; without it the new one starts from nothing",
                     required=False),
                Flag(name="category", help="category to cover; may be repeated; none: nothing to do", required=False,
                     repeated=True, item="uncovered"),
                Flag(name="words", help="hash of what the categories are called; the member image_text needs it",
                     required=False),
            ),
        ),
        Stage(
            name="score", part=Part.SCORE, help="score every clip with every member of the committee",
            keys=("category", "window", "committee"), reads=("clips", "committees"),
            writes={"scores": (), "features": ()},
            machine=_NETWORKS, follows=True, estimates=True,
        ),
        Stage(
            name="mine", part=Part.ASK, help="choose the clips worth a person's time",
            keys=("category", "round"),
            reads=("videos", "clips", "scores", "features", "committees", "accounts", "imported", "detections"),
            writes={"hard_clips": ("mining",)}, ledger=True,
        ),
        Stage(
            name="publish", part=Part.ASK, help="put chosen clips into the review queue",
            keys=("category", "round"), reads=("hard_clips",), ledger=True,
        ),
        Stage(
            name="map", part=Part.ASK, help="draw a map of the clips that people are asked about, by their features",
            keys=("category",), reads=("hard_clips", "features"), writes={"map": ()}, ledger=True, follows=True,
        ),
        Stage(
            name="sync", part=Part.LABELS,
            help="collect new votes into a batch", writes={"votes": (), "segment_votes": ()}, ledger=True,
        ),
        Stage(
            name="aggregate", part=Part.LABELS,
            help="turn votes into labels", reads=("votes", "people", "hard_clips", "segment_votes"),
            writes={"labels": ("review", "aggregation"), "label_changes": ("review", "aggregation"),
                    "crowd": ("aggregation",), "segment_labels": ("segments",), "segment_people": ("segments",)},
            ledger=True,
        ),
        Stage(
            name="judge", part=Part.LABELS,
            help="measure the labels of a category, with intervals, against what is wanted",
            keys=("category", "labels"), reads=("labels", "label_changes", "control"),
            writes={"measures": ("quality", "review")}, ledger=True, follows=True,
        ),
        Stage(
            name="validate", part=Part.LABELS, help="check the table of labels, and give the verdict on every category",
            reads=("labels", "label_changes", "control", "measures", "expectations"),
            writes={"measures": ("quality", "review"), "quality": ("quality",), "people": ("aggregation",),
                    "agreement": ("aggregation",)}, ledger=True, alone=True, follows=True,
        ),
        Stage(
            name="inspect", part=Part.LABELS, help="judge every hand-over that is new against what is expected of it",
            reads=("candidates", "fetched", "videos", "clips", "scores", "features", "hard_clips", "votes", "labels",
                   "label_changes", "release", "detections", "segment_votes", "segment_labels"),
            writes={"expectations": ("expectations",)}, ledger=True, alone=True, estimates=True,
            machine=Machine(processors=2, memory_gib=8, scratch_gib=10),
            flags=(
                Flag(name="judged", required=False,
                     help="judge these again: all hand-overs of a dataset, e.g. release, or one, e.g. release/r0001"),
            ),
        ),
        Stage(
            name="report", part=Part.LABELS, help="write the data-quality report",
            reads=("labels", "label_changes", "quality", "people", "agreement", "votes", "hard_clips", "scores",
                   "accounts"),
            writes={"rounds": ()},
            ledger=True, alone=True,
        ),
        Stage(
            name="approve", part=Part.LABELS,
            help="record a person's decision on a category that was not accepted", keys=("labels",),
            ledger=True,
            flags=(
                CATEGORY,
                Flag(name="decision", help="what the person decided", choices=("approve", "reject")),
                Flag(name="reason", help="why; kept with the decision", example="'seen by eye'"),
                Flag(name="person", help="who decided", example="mara"),
            ),
            remakes=False,
        ),
        Stage(
            name="carry", part=Part.LABELS,
            help="carry answers on to other clips, and ask again where all else contradicts one",
            reads=(
                "labels", "label_changes", "people", "videos", "clips", "scores", "features", "committees", "imported",
            ),
            writes={name: ("mining", "review") for name in ("carried", "control", "corrections", "accounts")},
            ledger=True, alone=True,
            machine=Machine(processors=2, memory_gib=8, scratch_gib=10),
        ),
        Stage(
            name="certify", part=Part.LABELS,
            help="say how many labels of each kind are wrong at most, and which are good enough",
            reads=("carried", "control", "certificates", "clips"),
            writes={"certificates": ("quality",), "gold_judges": ()}, ledger=True, alone=True,
        ),
        Stage(
            name="release", part=Part.RELEASE, help="write validated labels as Parquet, HACS csv and ActivityNet json",
            keys=("release",), ledger=True,
            writes={name: () for name in ("release", "released_videos", "released_segments", "release_versions")},
            reads=(
                "labels", "label_changes", "quality", "agreement", "carried", "certificates", "corrections", "videos",
                "fetched", "segment_labels",
            ),
        ),
        Stage(
            name="pretrain", part=Part.NETWORKS, help="train a video network on a release",
            keys=("release",), reads=("release",), writes={"models": ("training",)},
            machine=Machine(processors=8, memory_gib=48, scratch_gib=100, gpus=1, hours=14 * 24),
        ),
        Stage(
            name="evaluate", part=Part.NETWORKS, help="compare the pretrained network with training from scratch",
            keys=("release",), reads=("release", "models", "clips", "gold_judges"),
            writes={"judged": ("training",), "evaluations": ("training",)}, machine=_NETWORKS,
        ),
        Stage(
            name="detect", part=Part.NETWORKS,
            help="find where the actions of a release begin and end in whole videos, as `slac localize` does in a file",
            keys=("release",), reads=("release", "models", "released_segments", "imported", "videos"),
            writes={"detections": ("localization",)}, machine=_NETWORKS,
        ),
        Stage(
            name="promote", part=Part.NETWORKS, help="let a better model join the committee",
            keys=("release",), reads=("models", "judged", "evaluations", "committees", "clips", "scores"),
            writes={"committees": ()}, ledger=True, explains=True,
        ),
    )
}  # fmt: skip
"""Every stage of the procedure by name, in order."""

COMMAND_DATASETS: Mapping[str, tuple[str, ...]] = {"import": ("imported",), "segments": ("segments",)}
"""Datasets that a command writes, since a person gives what is in them; by command."""

LEDGER_COMMANDS = frozenset({"plan", "register", "retire"})
"""Commands that are no stages, that Airflow starts, and that are given the ledger's address."""


def holds_ledger(verb: str) -> bool:
    """Return whether Airflow gives this stage or command the ledger's address."""
    return verb in LEDGER_COMMANDS or (verb in STAGES and STAGES[verb].ledger)


def machine(command: str, overrides: Iterable[str] = ()) -> Machine:
    """Return what a stage or command asks of a machine: its default, changed by what the settings say of it.

    Args:
        command: the stage, or a command that is none.
        overrides: texts such as ``score: memory_gib=48, gpus=2``; of several on one stage all count, in their order.

    Raises:
        WrongArguments: a text names no stage, no measure of a machine, or a value that is no whole number in range.

    """
    found = STAGES[command].machine if command in STAGES else Machine()
    for text in overrides:
        stage, _, changes = text.partition(":")
        if stage.strip() not in STAGES:
            raise WrongArguments(f"setting machines: {text!r} names no stage, {wanted(stage.strip(), STAGES)}")
        values = dict(_measure(text, change) for change in changes.split(","))
        if stage.strip() == command:
            found = replace(found, **values)
    return found


def _measure(text: str, change: str) -> tuple[str, int]:
    """Return (name, value) of one change such as ``memory_gib=48``."""
    name, _, value = (part.strip() for part in change.partition("="))
    measures = [each.name for each in fields(Machine)]
    least = 0 if name == "gpus" else 1
    if name not in measures or not value.isdecimal() or not least <= int(value) <= _MOST:
        wanted = f"want <stage>: <measure>=<number>, ..., measures {', '.join(measures)}, numbers {least} to {_MOST}"
        raise WrongArguments(f"setting machines: {text!r} holds {change.strip()!r}, {wanted}")
    return name, int(value)


def wants_gpu(command: str, overrides: Iterable[str] = ()) -> bool:
    """Return whether this stage or command asks for a GPU."""
    return machine(command, overrides).gpus > 0


def reference() -> str:
    """Return the reference page of the stages, in Markdown."""
    lines = [
        "# Stages",
        "",
        "Made from `slac_tasks/procedure.py` by `python -m slac_tasks.procedure`; a test compares the two.",
        "",
        "| stage | what it does | flags | reads | writes | ledger | asks for |",
        "|---|---|---|---|---|---|---|",
    ]
    for stage in STAGES.values():
        machine = stage.machine
        asks = f"{machine.processors} processors, {machine.memory_gib} GiB, {machine.scratch_gib} GiB scratch"
        cells = (
            f"`{stage.name}`",
            stage.help,
            " ".join(f"`--{flag.name}`" for flag in stage.command_line),
            " ".join(f"`{name}`" for name in stage.reads),
            " ".join(f"`{name}`" for name in stage.writes),
            "yes" if stage.ledger else "",
            asks + (f", {machine.gpus} GPU" if machine.gpus else "") + f", {machine.hours} h at most",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(reference(), end="")
