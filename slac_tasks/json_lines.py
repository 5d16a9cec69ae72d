"""Files of JSON lines that only grow: each line is there as soon as what it says is; a kill tears the last alone."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from slac_tasks.errors import FullDiskAt


def append(path: Path, values: Mapping[str, Any]) -> None:
    """Add a line."""
    with FullDiskAt(path), path.open("ab+") as file:
        line = json.dumps(values, ensure_ascii=False) + "\n"
        # One that a kill has torn ends without a line break, and must not take this one with it.
        file.write((f"\n{line}" if _is_torn(file) else line).encode())


def read(path: Path) -> Iterator[Any]:
    """Yield what each line says, in order; a torn one says nothing."""
    # U+2028 and its like end no line of JSON.
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n") if path.exists() else ():
        try:
            yield json.loads(line)
        except ValueError:
            continue


def _is_torn(file: BinaryIO) -> bool:
    """Return whether a file of lines ends within one."""
    if not file.seek(0, os.SEEK_END):
        return False
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"
