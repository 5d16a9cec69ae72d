"""Names of people, as files and other systems spell them: one person has one name.

Spaces around a name and accents that are composed differently are no difference. Names that differ in case, in signs
that nobody sees, or in forms of one letter may be one person or two: who cannot tell asks.
"""

import unicodedata

from slac_tasks.given.words import fault_of, printable

MOST_LETTERS = 300
"""An e-mail address has 254 at most."""
_UNSEEN = ("Cc", "Cf", "Zs", "Zl", "Zp")


def name_of(text: str) -> str:
    """Return the name of a person.

    Raises:
        ValueError: it is blank, cannot be stored, or is no line of text; the message says which.

    """
    if fault := fault_of(text):
        raise ValueError(f"'{printable(text[:60])}' {fault}, want a name")
    name = " ".join(unicodedata.normalize("NFC", text).split())
    first, last = 0, len(name)
    while first < last and unicodedata.category(name[first]) in _UNSEEN:
        first += 1
    while first < last and unicodedata.category(name[last - 1]) in _UNSEEN:
        last -= 1
    name = name[first:last]
    if not name:
        raise ValueError(f"'{printable(text[:60])}' is blank, want a name")
    if len(name) > MOST_LETTERS:
        raise ValueError(f"'{printable(name[:60])}...' has {len(name)} letters, want {MOST_LETTERS} at most")
    if any(unicodedata.category(letter) == "Cc" for letter in name):
        raise ValueError(f"'{printable(name)}' holds a control character, want a name")
    return name


def likeness(name: str) -> str:
    """Return what all spellings share that may be one person's."""
    seen = "".join(letter for letter in unicodedata.normalize("NFKC", name) if unicodedata.category(letter) != "Cf")
    return unicodedata.normalize("NFKC", seen.casefold())
