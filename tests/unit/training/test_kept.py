"""Decoded clips on the scratch disk: what is there is whole, in other processes too, and a full disk costs no clip."""

import copy
import errno
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest

from slac_tasks.model import View
from slac_tasks.training.kept import KeptPixels

VIEW = View(2, 4)


def clip(number: int) -> np.ndarray:
    return np.full((2, 4, 4, 3), number, np.uint8)


def kept_in(folder: Path) -> KeptPixels:
    return KeptPixels(folder, VIEW, 5)


def test_what_was_written_is_there_and_nothing_else(tmp_path: Path) -> None:
    kept = kept_in(tmp_path)
    assert kept.size_bytes == 5 * 2 * 4 * 4 * 3
    assert not kept.held(np.arange(5)).any()
    for row in (3, 1):
        kept.write(row, clip(row))
    assert kept.held(np.arange(5)).tolist() == [False, True, False, True, False]
    assert [int(one.max()) for one in kept.read(np.array([3, 1, 3]))] == [3, 1, 3]
    kept.close()


def _write(kept: KeptPixels) -> None:
    kept.write(2, clip(7))


def test_processes_share_it_and_open_files_of_their_own(tmp_path: Path) -> None:
    kept = kept_in(tmp_path)
    kept.write(0, clip(9))  # its files are open here
    assert "_pixels" not in copy.copy(kept).__dict__  # as it is sent
    other = multiprocessing.get_context("fork").Process(target=_write, args=(kept_in(tmp_path),))
    other.start()
    other.join()
    assert kept.held(np.array([2])).all()
    assert int(kept.read(np.array([2])).max()) == 7
    kept.close()


@pytest.mark.parametrize("short", [0, 17])
def test_a_full_disk_holds_no_clip_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short: int) -> None:
    kept = kept_in(tmp_path)
    kept.write(0, clip(1))
    before = os.pwrite

    def full(file: int, data: bytes, at: int) -> int:
        if not short:
            raise OSError(errno.ENOSPC, "no space left")
        return before(file, data[:short], at)

    monkeypatch.setattr(os, "pwrite", full)
    kept.write(1, clip(2))
    monkeypatch.undo()
    assert kept.held(np.arange(2)).tolist() == [True, False]
    kept.close()
