"""A store whose machine loses its power at the n-th write."""

from pathlib import Path

from slac_tasks.errors import Temporary
from slac_tasks.storage.folder import FolderStore


class CutStore(FolderStore):
    """Fails from the write on that comes after `left` others."""

    left: int

    def __init__(self, folder: Path, left: int) -> None:
        super().__init__(folder)
        self.left = left

    def spend(self) -> None:
        """Count a write, or be cut off."""
        self.left -= 1
        if self.left < 0:
            raise Temporary("cut off")

    def put(self, name: str, data: bytes) -> None:
        self.spend()
        super().put(name, data)

    def put_file(self, name: str, path: Path) -> None:
        self.spend()
        super().put_file(name, path)

    def create(self, name: str, data: bytes) -> bool:
        self.spend()
        return super().create(name, data)
