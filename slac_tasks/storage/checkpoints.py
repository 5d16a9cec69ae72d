"""Checkpoints of a partition that a stage learns for long: kept by number, the manifest last.

    <address>/unfinished/checkpoint-<step>.<hash>/state.pt        everything that the next step needs
    <address>/unfinished/checkpoint-<step>.<hash>/manifest.json   written last: makes the checkpoint exist

The hash names what the partition is made from, so a run from other inputs or settings takes up nothing of this one. The
last `KEPT` stay; all go when the partition is finished.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from slac_tasks.errors import NotMade
from slac_tasks.model import content_hash
from slac_tasks.progress import print_line
from slac_tasks.storage.objects import Media

KEPT = 2
"""A newest checkpoint that is damaged leaves one to go on from."""

_NAME = re.compile(r"checkpoint-(?P<step>[0-9]+)\.(?P<made_of>[0-9a-f]+)/manifest\.json")


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one partition, in this process or in one that this object is sent to."""

    media: Media
    folder: str
    """Where they are in the store."""
    made_of: str
    """Hash of what the partition is made from, hexadecimal."""

    def of(self, *part: str) -> "Checkpoints":
        """Return those of one part of the work, which other parts know nothing of; `delete` deletes all parts."""
        return replace(self, made_of=content_hash(self.made_of, *part))

    def steps(self) -> list[int]:
        """Return the numbers of those that exist, in order."""
        found = (
            _NAME.fullmatch(name.removeprefix(f"{self.folder}/")) for name in self.media.store.names(self.folder + "/")
        )
        return sorted(int(one["step"]) for one in found if one and one["made_of"] == self.made_of)

    def write(self, step: int, path: Path) -> None:
        """Put the file at `path` into the store as the checkpoint after `step` steps, and delete the older ones."""
        name = self._name(step)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        self.media.store.put_file(f"{name}/state.pt", path)
        manifest = {"step": step, "sha256": sha256, "size_bytes": path.stat().st_size}
        self.media.store.put(f"{name}/manifest.json", json.dumps(manifest).encode())
        for older in self.steps()[:-KEPT]:
            self._delete(older)

    def newest(self) -> Iterator[tuple[int, bytes]]:
        """Yield (step, bytes) of those that are whole, the newest first; one that is damaged is printed and skipped."""
        for step in reversed(self.steps()):
            name = self._name(step)
            with suppress(NotMade):  # deleted meanwhile
                wanted = _sha256(self.media.store.get(f"{name}/manifest.json"))
                data = self.media.store.get(f"{name}/state.pt")
                if hashlib.sha256(data).hexdigest() == wanted:
                    yield step, data
                else:
                    print_line(f"checkpoint {name}: was altered, so the one before it is taken")

    def done(self) -> None:
        """Delete those of this part."""
        for step in self.steps():
            self._delete(step)

    def delete(self) -> None:
        """Delete all of them, those of other inputs too."""
        for name in list(self.media.store.names(f"{self.folder}/checkpoint-")):
            self.media.store.delete(name)

    def _name(self, step: int) -> str:
        return f"{self.folder}/checkpoint-{step:08d}.{self.made_of}"

    def _delete(self, step: int) -> None:
        # The manifest first: a checkpoint without its state must not exist.
        for file in ("manifest.json", "state.pt"):
            self.media.store.delete(f"{self._name(step)}/{file}")


def _sha256(manifest: bytes) -> str | None:
    """Return the hash that a manifest names; None where it is damaged."""
    try:
        return str(json.loads(manifest)["sha256"])
    except (ValueError, TypeError, KeyError):
        return None
