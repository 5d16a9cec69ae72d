"""How a setting is declared: type, default, range and meaning stand in one place, beside the room that reads it.

    @dataclass(frozen=True, kw_only=True)
    class Quality(Section):
        min_labels: int = setting(10, "Fewer settled labels are too few to judge.", least=1)

A section is one table of the settings file; the first line of its docstring is the table's meaning. Values are checked
whenever a section is made, from a file or in code. Every process of Airflow imports the sections, so they need the
standard library only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar, get_args, get_origin

from slac_tasks.errors import WrongArguments
from slac_tasks.given.words import wanted

T = TypeVar("T")
S = TypeVar("S", bound="Section")

Table = dict[str, Any]
"""A table of TOML, or the values of sections as a manifest keeps them."""

Value = bool | int | float | str | tuple[str, ...] | tuple[int, ...]
"""What a setting may hold."""

_KINDS: Mapping[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    tuple[str, ...]: "a list of texts",
    tuple[int, ...]: "a list of whole numbers",
}
MOST = 1_000_000_000
"""Largest number that a setting may have unless it says otherwise: what is computed of it stays a number that the
ledger, a clock and a network's seed hold."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What a setting means, and which values it may have."""

    meaning: str
    least: float | None = None
    """Smallest number; every number has one, above 0 where 0 would mean nothing."""
    most: float = MOST
    choices: tuple[str, ...] = ()


def setting(
    default: T,
    meaning: str,
    *,
    least: float | None = None,
    most: float = MOST,
    choices: tuple[str, ...] = (),
) -> T:
    """Declare a setting with its default."""
    rule = Rule(meaning=meaning, least=least, most=most, choices=choices)
    return field(default=default, metadata={Rule: rule})


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One declared setting."""

    table: str
    """The table of the file that it stands in; empty: the top of the file."""
    name: str
    kind: Any
    """bool, int, float, str, tuple[str, ...] or tuple[int, ...]."""
    default: Value | None
    """None: it has no default."""
    rule: Rule

    @property
    def path(self) -> str:
        """The name under which messages speak of it, e.g. `mining.clips_per_round`."""
        return f"{self.table}.{self.name}" if self.table else self.name

    @property
    def wanted(self) -> str:
        """What it may hold, in words."""
        rule = self.rule
        if rule.choices:
            return f"one of {', '.join(rule.choices)}"
        return _KINDS[self.kind] + ("" if rule.least is None else f" from {rule.least:_} to {rule.most:_}")

    def converted(self, value: object) -> object:
        """Return a value of the settings file as this setting holds it: a list is a tuple, a whole number a number."""
        if self._items is not None and isinstance(value, list) and all(type(item) is self._items for item in value):
            return tuple(value)
        return float(value) if self.kind is float and type(value) is int and self.allows(value) else value

    @property
    def _items(self) -> type | None:
        """The type of its items, of a list; None: it is none."""
        found: type | None = get_args(self.kind)[0] if get_origin(self.kind) is tuple else None
        return found

    def allows(self, value: object) -> bool:
        """Return whether the setting may have this value; of numbers in a list, each must be in the range."""
        if self._items is not None:
            return isinstance(value, tuple) and all(self._allows(item, self._items) for item in value)
        return self._allows(value, self.kind)

    def _allows(self, value: object, kind: Any) -> bool:
        rule = self.rule
        if kind in (bool, str):
            fits = type(value) is kind and (not rule.choices or value in rule.choices)
            # No path, address or word that a setting stands for holds a NUL.
            return fits and "\x00" not in str(value)
        # True is an int to Python, and no number to a person. NaN fails every comparison.
        if not isinstance(value, int | float) or type(value) not in (int, kind):
            return False
        return (rule.least is None or rule.least <= value) and value <= rule.most


@dataclass(frozen=True, kw_only=True)
class Section:
    """Base of every section.

    Raises:
        WrongArguments: a setting may not have its value, or two values contradict each other. The message names every
            such setting, the value found and the values wanted.

    """

    def __post_init__(self) -> None:
        wrong = [
            self.refusal(each.name, each.wanted)
            for each in settings_of(type(self))
            if not each.allows(getattr(self, each.name))
        ] or list(self.conflicts())
        if wrong:
            raise WrongArguments("; ".join(wrong))

    @classmethod
    def table(cls) -> str:
        """Return the name of this section's table in the file, which is also its field in `Config`."""
        return cls.__name__.lower()

    def conflicts(self) -> Iterator[str]:
        """Yield a refusal for every value that contradicts another one; each by itself is in its range."""
        yield from ()

    def refusal(self, name: str, wanted: str) -> str:
        """Return the message that refuses the value of the setting `name`."""
        return f"setting {_path(type(self), name)}: is {getattr(self, name)!r}, want {wanted}"


def settings_of(kind: type[Section]) -> tuple[Setting, ...]:
    """Return the settings that a section declares, in order; those of sections inside it are not among them."""
    return tuple(
        Setting(
            table=kind.table(),
            name=each.name,
            kind=each.type,
            default=None if each.default is MISSING else each.default,
            rule=each.metadata[Rule],
        )
        for each in fields(kind)
        if Rule in each.metadata
    )


def sections_of(kind: type[Section]) -> Mapping[str, type[Section]]:
    """Return the sections inside a section, by the name of their table, in order."""
    return {
        each.name: each.type for each in fields(kind) if isinstance(each.type, type) and issubclass(each.type, Section)
    }


def from_table(kind: type[S], table: Table) -> S:
    """Make a section from a table of the settings file.

    Raises:
        WrongArguments: it holds unknown names or values that are not allowed; the message names all of them.

    """
    inside = sections_of(kind)
    known = {each.name: each for each in settings_of(kind)}
    values: Table = {}
    wrong: list[str] = []
    for name, value in table.items():
        try:
            if name in known:
                values[name] = known[name].converted(value)
            elif name not in inside:
                raise WrongArguments(f"setting {_path(kind, name)}: unknown, {wanted(name, sorted([*known, *inside]))}")
            elif not isinstance(value, dict):
                raise WrongArguments(f"setting {name}: is {value!r}, want a table [{name}]")
            else:
                values[name] = from_table(inside[name], value)
        except WrongArguments as refusal:
            wrong.append(str(refusal))
    try:
        made = kind(**values)
    except WrongArguments as refusal:
        wrong.insert(0, str(refusal))
    if wrong:
        raise WrongArguments("; ".join(wrong))
    return made


def _path(kind: type[Section], name: str) -> str:
    return f"{kind.table()}.{name}" if kind.table() else name
