import gc
import sys
from pathlib import Path

import pytest

from slac_tasks.importing import imported


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where modules are found that import once in this test alone."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return tmp_path


def test_nobody_looks_for_garbage_while_a_module_is_imported_and_afterwards_not_in_it(folder: Path) -> None:
    (folder / "quiet_module.py").write_text("import gc\nLOOKS = gc.isenabled()\nKEPT = [[] for _ in range(1000)]\n")
    before = gc.get_freeze_count()
    assert not imported("quiet_module").LOOKS
    assert gc.isenabled()
    after = gc.get_freeze_count()
    assert after > before + 1000
    # Once it is there: what a program has made since may be garbage.
    assert imported("quiet_module") is sys.modules["quiet_module"]
    assert gc.get_freeze_count() <= after


def test_garbage_is_looked_for_again_after_an_import_that_fails(folder: Path) -> None:
    (folder / "broken_module.py").write_text("raise ValueError('broken')\n")
    with pytest.raises(ValueError, match="broken"):
        imported("broken_module")
    assert gc.isenabled()


def test_a_process_that_looks_for_no_garbage_is_left_alone(folder: Path) -> None:
    (folder / "other_module.py").write_text("")
    before = gc.get_freeze_count()
    gc.disable()
    try:
        imported("other_module")
        assert not gc.isenabled()
    finally:
        gc.enable()
    assert gc.get_freeze_count() <= before
