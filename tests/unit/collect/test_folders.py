"""What a folder of videos offers, and what it says of that which it does not."""

from pathlib import Path

import pytest

from slac_tasks.collect.sources import Candidate, FolderSource
from slac_tasks.errors import BrokenContract, NotConfigured
from slac_tasks.model import Window

WEEK = Window.parse("2026-01-05")


def test_a_folder_without_a_category_says_why(tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match="gone: cannot be read: No such file"):
        FolderSource(tmp_path / "gone")
    with pytest.raises(BrokenContract, match=r"has no sub-folder, want one of videos per category$"):
        FolderSource(tmp_path)
    (tmp_path / "loose.mp4").touch()
    with pytest.raises(BrokenContract, match=r"per category; loose\.mp4 set aside: no category: lies in no sub-folder"):
        FolderSource(tmp_path)


def test_a_video_is_called_as_its_file_and_a_link_is_followed_to_a_file_of_the_folder_alone(tmp_path: Path) -> None:
    root = tmp_path / "videos"
    for folder in ("Judo/first round", "Golf"):
        (root / folder).mkdir(parents=True)
    (root / "Judo" / "first round" / "a throw.mp4").touch()
    (root / "Judo" / "again.mp4").symlink_to(root / "Judo" / "first round" / "a throw.mp4")
    (root / "Judo" / "more").symlink_to(root / "Golf")
    (root / "Judo" / "out.mp4").symlink_to(tmp_path / "elsewhere.mp4")
    (tmp_path / "elsewhere.mp4").touch()
    source = FolderSource(root)
    offers = list(source.candidates("judo", WEEK))
    good = [offer for offer in offers if isinstance(offer, Candidate)]
    assert sorted((one.source_id, str(one.title), one.location) for one in good) == [
        ("Judo/again.mp4", "again", str(root / "Judo" / "again.mp4")),
        ("Judo/first round/a throw.mp4", "a throw", str(root / "Judo" / "first round" / "a throw.mp4")),
    ]
    assert {one.source for one in good} == {str(root)}
    assert sorted(str(offer) for offer in offers if not isinstance(offer, Candidate)) == [
        "Judo/more set aside: link to a folder: is not followed, want the folder itself",
        "Judo/out.mp4 set aside: refused address: is a link that leads out of the source's folder",
    ]
    assert sorted(source.files()) == sorted(Path(one.location) for one in good)
    assert list(source.candidates("golf", WEEK)) == []
