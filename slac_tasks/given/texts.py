"""Text files that people give: settings, manifests, lists, votes. The one place where bytes of theirs become text.

A file is UTF-8, with or without a byte-order mark, or UTF-16 or UTF-32 with its mark. Nothing else is guessed: the same
bytes are other words in Latin-1 than in Windows-1252.
"""

import codecs
import errno
import os
import re
import stat
from pathlib import Path
from typing import BinaryIO, TextIO

_MARKS = (
    # The mark of UTF-32 starts with that of UTF-16.
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PACKED = {
    b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip, as spreadsheets are", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh91AY&SY": "bzip2",
}  # fmt: skip
"""What packed files start with."""
MOST_BYTES = 2**31
"""Of a text that is read whole: ten times the largest list that a benchmark publishes."""
LINE_BREAK = re.compile(r"\r\n|\n|\r")
"""LF, CR LF, or CR alone as spreadsheets of old write it; U+2028 and U+0085 are part of a text."""


class NotText(ValueError):
    """Bytes that are no text which can be read in one way; the message says where and what is wanted."""


def decode(data: bytes, *, escaped: bool = False) -> str:
    """Return the text of a file's bytes, without a byte-order mark.

    Args:
        data: the whole file.
        escaped: bytes that are not UTF-8 become lone surrogates, which `words.fault_of` names. So a reader of a list
            can set one line aside and read the others.

    Raises:
        NotText: they are neither UTF-8, nor UTF-16 or UTF-32 with a mark.

    """
    if packed := next((name for start, name in _PACKED.items() if data.startswith(start)), None):
        raise NotText(f"is packed ({packed}), want the text in it")
    mark, encoding = next(((mark, encoding) for mark, encoding in _MARKS if data.startswith(mark)), (b"", "utf-8"))
    body = data[len(mark) :]
    try:
        text = body.decode(encoding, "surrogateescape" if escaped and encoding == "utf-8" else "strict")
    except UnicodeDecodeError as error:
        line = body[: error.start].decode(encoding, "replace").count("\n") + 1
        found = body[error.start : error.start + 1].hex()
        raise NotText(
            f"line {line} is not {encoding.upper()}: found byte 0x{found} ({error.reason}), want a text in UTF-8"
        ) from error
    # Every second byte of Latin letters in UTF-16 is a NUL.
    if not mark and "\x00" in first_line(text):
        raise NotText("line 1 holds a NUL, as UTF-16 without its mark does, want a text in UTF-8")
    return text


def first_line(text: str) -> str:
    """Return the first line, without its end."""
    return LINE_BREAK.split(text, maxsplit=1)[0]


def read_line(stream: TextIO) -> str:
    """Return the first line that somebody types or pipes in, without its end; see `decode`.

    Raises:
        NotText: it is no text.

    """
    buffer = getattr(stream, "buffer", None)
    line = stream.readline() if buffer is None else decode(buffer.readline())
    return line.rstrip("\r\n")


def read(path: Path, *, escaped: bool = False) -> str:
    """Return the text of a file; see `decode`.

    Raises:
        NotText: it is no text.
        OSError: it cannot be read, is no file, or is larger than any text; see `content`.

    """
    return decode(content(path), escaped=escaped)


def content(path: Path) -> bytes:
    """Return all bytes of a file that somebody names.

    Raises:
        OSError: it cannot be read, is no file (see `opened`), or holds more than fits beside other work.

    """
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > MOST_BYTES:
            raise OSError(errno.EFBIG, f"has {size:,} bytes, want {MOST_BYTES:,} at most", str(path))
        return file.read()


def opened(path: Path) -> BinaryIO:
    """Open a file that somebody names.

    Raises:
        OSError: it cannot be read, or is a pipe or a device: who reads one twice gets the rest, or waits for ever.

    """
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "is a pipe, a socket or a device, want a file", str(path))
    return path.open("rb")
