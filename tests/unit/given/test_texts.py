"""Bytes that somebody gives become a text that they can only mean, or are refused."""

import bz2
import codecs
import gzip
import io
import lzma
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slac_tasks.given import tables
from slac_tasks.given.texts import MOST_BYTES, NotText, decode, read, read_line

MARKED = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}
TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00\ufeff"))


def zipped(data: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("votes.csv", data)
    return held.getvalue()


@given(TEXTS, st.sampled_from(sorted(MARKED)))
def test_a_text_with_a_mark_is_read_whatever_editor_wrote_it(text: str, encoding: str) -> None:
    assert decode(MARKED[encoding] + text.encode(encoding)) == text


@given(TEXTS)
def test_a_text_without_a_mark_is_utf8(text: str) -> None:
    assert decode(text.encode()) == text


@given(st.binary(max_size=60))
@example(b"caf\xe9")
@example("task,worker".encode("utf-16-le"))
@example(codecs.BOM_UTF16_LE + b"a")
def test_any_other_bytes_are_refused_with_what_is_wrong(data: bytes) -> None:
    text = refusal = None
    try:
        text = decode(data)
    except NotText as error:
        refusal = str(error)
    assert refusal is None or re.fullmatch(r"line \d+ .*, want a text in UTF-8|is packed .*", refusal)
    if text is not None:
        assert any(text.encode(encoding) == data.removeprefix(mark) for encoding, mark in MARKED.items())


def test_the_line_and_the_byte_are_named() -> None:
    with pytest.raises(NotText, match="line 2 is not UTF-8: found byte 0xe9"):
        decode(b"a\ncaf\xe9\n")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zipped])
def test_a_packed_file_is_called_that(pack: Callable[[bytes], bytes]) -> None:
    with pytest.raises(NotText, match=r"is packed \(.*\), want the text in it"):
        decode(pack(b"task,worker,label,time,seconds\n"), escaped=True)


def test_a_line_that_is_piped_in_is_read_as_a_file_is() -> None:
    for data in (b"w\xc3\xb6rd\r\nmore", b"\xef\xbb\xbfw\xc3\xb6rd\n", b"w\xc3\xb6rd"):
        assert read_line(io.TextIOWrapper(io.BytesIO(data), encoding="ascii")) == "wörd"
    with pytest.raises(NotText, match="line 1 is not UTF-8"):
        read_line(io.TextIOWrapper(io.BytesIO(b"w\xf6rd\n")))


def test_a_file_that_is_larger_than_any_text_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "disk.img").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(OSError, match="has 2,147,483,649 bytes, want 2,147,483,648 at most"):
        read(tmp_path / "disk.img")


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path(os.devnull)):
        with pytest.raises(OSError, match="is a pipe, a socket or a device, want a file"):
            read(path)
        with pytest.raises(OSError, match="is a pipe, a socket or a device, want a file"):
            list(tables.lines(path, "table", needed=(), known=()))
    with pytest.raises(IsADirectoryError):
        read(tmp_path)
