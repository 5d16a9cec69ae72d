"""Words that strangers chose: which of them can be stored, and how they are shown."""

import re
from collections.abc import Iterable

_USER = re.compile(r"^(?![/~.])([A-Za-z][\w+.-]*://)?.*@", re.DOTALL)
"""What stands before the server in an address, up to the last @: a password may hold others. A path is none."""


def fault_of(text: str) -> str:
    """Return why neither the ledger nor a dataset can store a text; empty where they can."""
    if "\x00" in text:
        return "holds a NUL"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "is not UTF-8"
    return ""


def printable(text: str) -> str:
    """Return a text as any terminal can show it: what is no UTF-8 or no character to print is escaped."""
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def without_user(address: str) -> str:
    """Return an address as a message may quote it: a user and a password that may stand in it are left out."""
    return _USER.sub(r"\1...@", address)


def _escaped(character: str) -> str:
    # Python reads byte 0xE9 of a file's name as the lone surrogate U+DCE9.
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()


def near(word: str, known: Iterable[str]) -> str:
    """Return a question that names what is close to an unknown word, whatever its case; empty where nothing is."""
    from difflib import get_close_matches  # only a message needs it

    names = {name.lower(): name for name in known}
    found = [names[name] for name in get_close_matches(word.lower(), names)]
    return f"did you mean {' or '.join(found)}?" if found else ""


def wanted(word: str, known: Iterable[str]) -> str:
    """Return what a message says was wanted instead of an unknown word: the names close to it, or all of them."""
    names = list(known)
    return near(word, names) or f"want one of {', '.join(names)}"
