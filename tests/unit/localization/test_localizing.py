"""Files are looked at as their head was taught; one that is too long is refused, and little is left of the others."""

import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest
from learning_world import draw

from slac_tasks.localization.detecting import Search
from slac_tasks.localization.features import Clock, Unseen
from slac_tasks.localization.head import Head, Shape
from slac_tasks.localization.kept import About
from slac_tasks.localization.localizing import Localized, Localizer, Stopwatch, localize, looked_at
from slac_tasks.localization.networks import frozen, of_registry
from slac_tasks.networks.inference import Extractor
from slac_tasks.networks.settings import Scoring
from slac_tasks.training.trainer import seeded


@pytest.fixture(scope="module")
def eye() -> Extractor:
    with seeded(0):
        return frozen(*of_registry("small_3d", "random"), "cpu", Scoring(precision="float32"))


def test_a_file_is_looked_at_at_the_stride_of_its_head_and_by_the_search_that_is_asked_for(
    eye: Extractor, tmp_path: Path
) -> None:
    draw(tmp_path / "drawn.mp4", colour=(200, 40, 90), speed=2, seconds=3)
    with seeded(0):
        head = Head(Shape(features=eye.entry.features, categories=("hop", "wave"), width=16)).eval()
    about = About(architecture="small_3d", backbone="", taught="", stride_frames=6)
    localizer = Localizer(head=head, about=about, extractor=eye)

    def surest(search: Search) -> float:
        (found,) = localize([("a", tmp_path / "drawn.mp4")], localizer, tmp_path, search=search)
        assert isinstance(found, Localized)
        assert found.clock.stride_frames == 6
        assert found.played.exists()
        return float(found.spotted.score.max())

    assert surest(Search(by_video=True)) < surest(Search())


def test_of_a_file_that_was_looked_at_one_rendition_is_left(eye: Extractor, tmp_path: Path) -> None:
    draw(tmp_path / "drawn.mp4", colour=(200, 40, 90), speed=2, seconds=3)
    (tmp_path / "to").mkdir()
    looked = looked_at([(name, tmp_path / "drawn.mp4") for name in "abc"], eye, tmp_path / "to", stride_frames=8)
    for each in looked:
        assert {path.parent for path in (tmp_path / "to").rglob(f"{each.name}.mp4")} == {tmp_path / "to"}
    assert {path.name for path in (tmp_path / "to").iterdir()} == {"a.mp4", "b.mp4", "c.mp4"}


def test_a_file_of_more_than_an_hour_is_refused(eye: Extractor, tmp_path: Path) -> None:
    blank = ["-f", "lavfi", "-i", "color=s=64x64:r=1/9:d=3609", "-c:v", "mjpeg", str(tmp_path / "long.avi")]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *blank], check=True)
    (found,) = looked_at([("long", tmp_path / "long.avi")], eye, tmp_path, stride_frames=8)
    assert isinstance(found, Unseen)
    assert (found.lost.reason, found.lost.detail) == ("too long", "3609.0 s, want at most 3600.0 s")


def test_a_stopwatch_counts_minutes_of_all_videos() -> None:
    watch = Stopwatch()
    assert watch.video_min == 0
    for _ in range(2):
        watch.add(Clock(fps=24.0, frames=24 * 90))
    assert watch.video_min == 3
