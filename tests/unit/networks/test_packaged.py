from dataclasses import replace
from hashlib import sha256

import pytest

from slac_tasks.errors import NotConfigured
from slac_tasks.networks.packaged import Packaged

FILE = Packaged(
    package="some-weights", module="some_weights", file="models/a.bin", sha256=sha256(b"right").hexdigest(),
    extra="weights", licence="Apache-2.0",
)  # fmt: skip


def test_a_package_that_is_absent_is_named_with_its_extra_and_licence():
    with pytest.raises(
        NotConfigured, match=r"package some-weights: is not installed.*slac\[weights\].*Apache-2\.0"
    ) as why:
        FILE.path()
    assert why.value.exit_code == 78


def test_a_file_is_what_it_was_when_it_was_chosen_and_no_code_of_its_package_runs(tmp_path, monkeypatch):
    folder = tmp_path / "some_weights"
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('was imported')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(NotConfigured, match="no such file"):
        FILE.path()
    (folder / "models" / "a.bin").write_bytes(b"right")
    assert FILE.path() == folder / "models" / "a.bin"
    with pytest.raises(NotConfigured, match="want " + "0" * 64):
        replace(FILE, sha256="0" * 64).path()
