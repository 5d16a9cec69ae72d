"""Settings as TOML: the file that is read, and the text that `slac config` and the demos write."""

import re
import textwrap
import tomllib
from collections.abc import Callable, Iterator, Mapping

from slac_tasks.errors import NotConfigured, WrongArguments
from slac_tasks.given import texts
from slac_tasks.given.folders import path_of
from slac_tasks.settings import Section, Setting, Table, Value, sections_of, settings_of

_WIDTH = 118
_SPECIAL = re.compile(r'["\\\x00-\x1f\x7f]')
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def read(path: str) -> Table:
    """Return the tables of a settings file. `slac_tasks.given.texts` says what a text may be.

    Raises:
        NotConfigured: there is no such file, it is no text, or it is not TOML; the message names the line.

    """
    try:
        return tomllib.loads(texts.read(path_of(path)))
    except OSError as error:
        raise NotConfigured(f"cannot read {path!r}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise NotConfigured(f"cannot read {path!r}: {error}") from error


def literal(value: Value) -> str:
    """Return a value as TOML writes it.

    Raises:
        WrongArguments: a text holds bytes that are no Unicode, as a path may; TOML cannot hold those.

    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        if re.search("[\ud800-\udfff]", value):
            raise WrongArguments(f"text {value!r}: is not Unicode, want a text or a path that is")
        return f'"{_SPECIAL.sub(_escaped, value)}"'
    if isinstance(value, tuple):
        return f"[{', '.join(map(literal, value))}]"
    return f"{value:_}"


def _escaped(special: re.Match[str]) -> str:
    return _ESCAPES.get(special[0], f"\\u{ord(special[0]):04x}")


def template(kind: type[Section]) -> str:
    """Return a file with every setting at its default, each under its meaning and what it may hold."""

    def lines(each: Setting) -> list[str]:
        if each.default is None:
            held, line = each.wanted, f"# {each.name} = ..."
        else:
            held, line = f"{each.wanted}; default {literal(each.default)}", f"{each.name} = {literal(each.default)}"
        return ["", *_comment(each.rule.meaning), *_comment(f"({held})"), line]

    return _file(kind, lines, "Every setting at its default. A line that is left out has its default too.")


def changes(config: Section, heading: str) -> str:
    """Return a file that holds what differs from the defaults. A setting without a default, an address, is left out."""

    def lines(each: Setting) -> list[str]:
        value = _value(config, each)
        return [] if each.default is None or value == each.default else [f"{each.name} = {literal(value)}"]

    return _file(type(config), lines, heading, explained=False)


def in_force(config: Section, origins: Mapping[str, str]) -> str:
    """Return a file that holds every setting of `config`, each with where it came from.

    Args:
        config: what is in force.
        origins: where a setting came from, by its path; what is not named there has its default.

    """

    def lines(each: Setting) -> list[str]:
        shown = f"{each.name} = {without_password(literal(_value(config, each)))}"
        return [f"{shown:<50}  # {origins.get(each.path, 'default')}"]

    return _file(type(config), lines, "The settings in force, each with where it came from.", explained=False)


def without_password(text: str) -> str:
    """Return a text whose addresses show neither users nor passwords."""
    return re.sub(r"://[^/@\s\"]+@", "://***@", text)


def _value(config: Section, each: Setting) -> Value:
    holder = getattr(config, each.table) if each.table else config
    found: Value = getattr(holder, each.name)
    return found


def _file(kind: type[Section], lines: Callable[[Setting], list[str]], heading: str, *, explained: bool = True) -> str:
    """Return the text of a file: the settings at the top, then one table for each section that has a line."""
    text = [*_comment(heading), *(line for each in settings_of(kind) for line in lines(each))]
    for name, section in sections_of(kind).items():
        body = [line for each in settings_of(section) for line in lines(each)]
        if body:
            text += ["", *(_comment(_first_line(section)) if explained else ()), f"[{name}]", *body]
    return "\n".join(text) + "\n"


def _first_line(section: type[Section]) -> str:
    return (section.__doc__ or "").partition("\n")[0]


def _comment(text: str) -> Iterator[str]:
    return (f"# {line}" for line in textwrap.wrap(text, _WIDTH, break_on_hyphens=False, break_long_words=False))
