"""What a command writes for somebody is whole or not there, and where it cannot be written is said before the work."""

import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from slac_tasks import cli
from slac_tasks.errors import Temporary, WrongArguments
from slac_tasks.outputs import folder, over_runs, whole


def as_file(part: Path) -> None:
    part.write_text("new")


def as_folder(part: Path) -> None:
    part.mkdir()
    (part / "one").write_text("new")


def fail_after(write: Callable[[Path], None], part: Path) -> None:
    write(part)
    raise RuntimeError("half-way")


@pytest.mark.parametrize("write", [as_file, as_folder])
def test_what_fails_half_way_leaves_what_was_there_and_what_ends_has_its_name(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    path = tmp_path / "made"
    with pytest.raises(RuntimeError, match="half-way"), whole(path) as part:
        fail_after(write, part)
    assert list(tmp_path.iterdir()) == []
    with whole(path) as part:
        write(part)
    assert list(tmp_path.iterdir()) == [path]
    assert (path if path.is_file() else path / "one").read_text() == "new"
    if path.is_file():
        with whole(path) as part:
            part.write_text("newer")
        assert path.read_text() == "newer"


def test_of_two_that_write_the_same_file_each_writes_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "made"
    with whole(path) as one:
        one.write_text("first, ")
        with whole(path) as two:
            two.write_text("second")
        assert path.read_text() == "second"
        with one.open("a") as file:
            file.write("to the end")
    assert path.read_text() == "first, to the end"
    assert list(tmp_path.iterdir()) == [path]


def test_of_two_that_write_the_same_folder_the_later_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "made"
    later = whole(path)
    as_folder(later.__enter__())
    with whole(path) as first:
        first.mkdir()
    with pytest.raises(WrongArguments, match="is there and is no file"):
        later.__exit__(None, None, None)
    assert [[*each.iterdir()] for each in tmp_path.iterdir()] == [[]]


def a_folder(path: Path) -> Path:
    path.mkdir()
    return path


def a_pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def in_a_file(path: Path) -> Path:
    path.write_text("")
    return path / "made"


NOWHERE: dict[str, Callable[[Path], Path]] = {
    "a folder": a_folder,
    "a pipe": a_pipe,
    "in a file": in_a_file,
    "in no folder": lambda path: path / "nowhere" / "made",
    "a long name": lambda path: path.with_name("a" * 256),
    "the root": lambda path: Path("/"),
    "this folder": lambda path: Path("."),
}


@pytest.mark.parametrize("writes", [whole, partial(over_runs, mark="ab12")])
@pytest.mark.parametrize("where", NOWHERE)
def test_where_nothing_can_be_written_is_said_before_the_work(
    tmp_path: Path,
    where: str,
    writes: Callable[[Path], Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = NOWHERE[where](tmp_path / "given")
    with pytest.raises(WrongArguments, match="want"), writes(path):
        pytest.fail("the work began")
    assert not [one for one in tmp_path.rglob("*") if one.name.startswith(".")]
    monkeypatch.setenv("SLAC_STORE", str(tmp_path / "store"))
    assert cli.main(["votes", "export", str(path)]) == 64
    assert "a bug" not in capsys.readouterr().err


def test_a_full_disk_is_no_wrong_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.mkdtemp", full)
    with pytest.raises(OSError, match="No space left"), whole(tmp_path / "made"):
        pytest.fail("the work began")


def test_a_disk_that_is_full_later_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left") as caught, whole(tmp_path / "made"):
        Path("/dev/full").write_text("more")
    assert (caught.value.filename, list(tmp_path.iterdir())) == (str(tmp_path / "made"), [])


def test_a_folder_is_made_or_the_reason_is_said(tmp_path: Path) -> None:
    assert folder(tmp_path / "one" / "two").is_dir()
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "two"):
        with pytest.raises(WrongArguments, match="cannot be made"):
            folder(path)


def test_a_folder_that_takes_long_goes_on_after_what_ended_it(tmp_path: Path) -> None:
    path = tmp_path / "made"
    with pytest.raises(RuntimeError, match="half-way"), over_runs(path, "ab12") as part:
        fail_after(as_folder, part)
    assert not path.exists()
    with over_runs(path, "ab12") as part:
        assert (part / "one").read_text() == "new"
    assert [one.name for one in tmp_path.rglob("*")] == ["made", "one"]


def test_a_folder_that_was_begun_of_something_else_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "made"
    with pytest.raises(RuntimeError, match="half-way"), over_runs(path, "ab12") as part:
        fail_after(as_folder, part)
    with over_runs(path, "cd34") as part:
        assert not part.exists()
        as_folder(part)
    assert [one.name for one in tmp_path.rglob("*")] == ["made", "one"]


def test_a_folder_that_another_process_writes_is_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / "made"
    with over_runs(path, "ab12") as part:
        as_folder(part)
        with pytest.raises(Temporary, match="made: another process writes it"), over_runs(path, "ab12"):
            pytest.fail("two write it")
        with pytest.raises(RuntimeError, match="half-way"), over_runs(path, "cd34") as other:
            fail_after(as_folder, other)
        assert (part / "one").exists()
    assert (path / "one").exists()
