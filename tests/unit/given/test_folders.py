"""A folder is walked to the ground, and what is no file of it is named."""

import os
from pathlib import Path

from slac_tasks.given import folders


def test_every_file_is_found_and_what_is_none_is_a_failure(tmp_path: Path) -> None:
    for name in ("b.mp4", "a/c.mp4", ".hidden/d.mp4", "a/.e.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a/same.mp4").symlink_to(tmp_path / "b.mp4")
    (tmp_path / "a/nothing.mp4").symlink_to(tmp_path / "nowhere")
    (tmp_path / "a/folder").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "a/pipe")
    failures: list[OSError] = []
    assert folders.files(tmp_path, failures) == [tmp_path / name for name in ("a/c.mp4", "a/same.mp4", "b.mp4")]
    assert [folders.told(failure) for failure in failures] == [
        f"{tmp_path}/a/nothing.mp4: is a link to nothing",
        f"{tmp_path}/a/pipe: is a pipe, a socket or a device, want a file",
    ]


def test_a_folder_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    failures: list[OSError] = []
    assert folders.files(tmp_path / "nowhere", failures) == []
    assert [folders.told(failure) for failure in failures] == [f"{tmp_path}/nowhere: No such file or directory"]
