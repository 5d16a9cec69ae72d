"""Names of categories that strangers chose, and which key each gets.

A name that cannot be stored, that gets no key, or that shares its key with another name is set aside and printed. It
holds up no other name.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from slac_tasks.errors import WrongArguments
from slac_tasks.given.words import fault_of, printable
from slac_tasks.model import check_slug, slug

_SEPARATORS = re.compile(r"[\s_\-.,;:'\"’()/]+")  # noqa: RUF001
"""What people write differently in one name: `playing ping-pong` and `playing_ping_pong` are one."""


def spelling(name: str) -> str:
    """Return what stays the same in all spellings of a name: `C` and `c` are one, `C++` and `C#` are others."""
    return _SEPARATORS.sub(" ", unicodedata.normalize("NFKC", name).casefold()).strip()


def terms(category: str, synonyms: tuple[str, ...]) -> list[str]:
    """Return what a category is called: its name (HACS v3), then its synonyms of the settings; each once."""
    found = [category.replace("_", " ")]
    for line in synonyms:
        key, colon, words = line.partition(":")
        if not colon:
            raise WrongArguments(f"setting collect.synonyms: {line!r}, want `category_key: words, other words`")
        if check_slug(key.strip()) == category:
            found += [word.strip() for word in words.split(",") if word.strip()]
    return list(dict.fromkeys(found))


@dataclass(frozen=True, kw_only=True)
class Categories:
    """The names of categories, by the keys that they get."""

    names: Mapping[str, str]
    """A name for each key: the first spelling that was given."""
    clashes: Mapping[str, Sequence[str]]
    """Keys that different names would share, with these names: nobody can tell whose videos they are."""
    keyless: Mapping[str, str]
    """Names that get no key, each with the reason."""

    @classmethod
    def of(cls, names: Iterable[str]) -> "Categories":
        """Give names their keys."""
        found: dict[str, list[str]] = {}
        keyless: dict[str, str] = {}
        for name in dict.fromkeys(names):
            if fault := fault_of(name):
                keyless[name] = fault
                continue
            try:
                found.setdefault(slug(name), []).append(name)
            except WrongArguments as error:
                keyless[name] = str(error).partition(": ")[2]
        clashes = {key: those for key, those in found.items() if len(set(map(spelling, those))) > 1}
        return cls(
            names={key: those[0] for key, those in found.items() if key not in clashes},
            clashes=clashes,
            keyless=keyless,
        )

    def set_aside(self) -> list[str]:
        """Return a line for each name that is set aside, with the reason."""
        lines = [f"category '{printable(name)}' {reason}" for name, reason in self.keyless.items()]
        return lines + [self.clash(key) for key in sorted(self.clashes)]

    def clash(self, key: str) -> str:
        """Return the line about a key that different names would share."""
        names = " and ".join(f"'{printable(name)}'" for name in sorted(self.clashes[key]))
        return f"categories {names} are different names with the same key '{key}', want names with keys of their own"


def key_of(name: str) -> str | None:
    """Return the key of a category's name; None where it gets none."""
    return next(iter(Categories.of([name]).names), None)
