"""The lists of HMDB-51: ``name.avi 1`` in brush_hair_test_split1.txt; 1 is training, 2 testing, 0 neither."""

import re
from collections.abc import Iterator

from slac_tasks.annotations.opened import Opened
from slac_tasks.annotations.rows import OddRow, RawRow, odd
from slac_tasks.model import Split

_LINE = re.compile(r"(?P<video>[^/]+\.avi)\s+(?P<use>\d+)", re.ASCII)
_FILE = re.compile(r"(?P<label>\w+)_test_split[123]", re.ASCII)
_USES = {"0": None, "1": str(Split.TRAINING), "2": str(Split.TESTING)}


def fits(file: Opened) -> bool:
    """Return whether its first line is one of HMDB-51."""
    return _LINE.fullmatch(file.first) is not None


def rows(file: Opened) -> Iterator[RawRow | OddRow]:
    """Yield every video."""
    named = _FILE.fullmatch(file.path.stem)
    label = named["label"] if named else file.path.stem
    for number, text in file.lines:
        match = _LINE.fullmatch(text)
        if match is None:
            yield odd(f"line {number}", "columns", f"found {text[:60]!r}, want name.avi and 0, 1 or 2")
        elif match["use"] not in _USES:
            yield odd(f"line {number}", "split", f"use is {match['use'][:20]}, want 1 (training), 2 (testing) or 0")
        else:
            split = _USES[match["use"]]
            yield RawRow(place=f"line {number}", video=match["video"], label=label, timed=False, split=split)
