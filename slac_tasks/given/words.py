"""Words that strangers chose: which of them can be stored, and how they are shown."""


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


def _escaped(character: str) -> str:
    # Python reads byte 0xE9 of a file's name as the lone surrogate U+DCE9.
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()
