import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from bench.harness.places import SHARED
from slac_tasks.collect.settings import Collect
from slac_tasks.networks import person_detectors
from slac_tasks.networks.settings import Proposal
from slac_tasks.settings import settings_of
from slac_tasks.video import originals

VIDEOS = SHARED / "videos"


def proxy(path: Path, folder: Path) -> Path:
    limits = Collect(min_duration_sec=0.5)
    return originals.make_proxy(path, folder, originals.probe(path, limits), limits).path_256


@pytest.fixture(scope="module")
def brightening(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video that grows brighter by 20 of 255 a second."""
    folder = tmp_path_factory.mktemp("brightening")
    pictures = "color=black:s=160x120:r=25:d=10,geq=lum='16+20*T':cb=128:cr=128"
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", pictures, str(folder / "a.mp4")]
    subprocess.run(argv, check=True)
    return proxy(folder / "a.mp4", folder)


def brightness(images):
    return [round(float(image.mean())) for image in images]


def test_none_looks_at_nothing_and_every_other_choice_is_a_detector():
    assert person_detectors.detector(Proposal(), "cpu") is None
    (people,) = [each for each in settings_of(Proposal) if each.name == "people"]
    assert people.rule.choices == ("none", *person_detectors.REGISTRY)


def test_the_paper_looks_at_two_frames_and_a_setting_at_as_many_as_it_says():
    networks = [entry for name, entry in person_detectors.REGISTRY.items() if name.startswith("faster_rcnn")]
    assert [entry.frames for entry in networks] == [2, 2, 2]
    found = [person_detectors.detector(Proposal(people="hog", people_frames=frames), "cpu") for frames in (0, 7)]
    assert [each.frames for each in found] == [person_detectors.REGISTRY["hog"].frames, 7]


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_frames_part_each_shot_evenly_and_the_most_people_count(brightening, frames):
    seen = []

    def count(images):
        seen.extend(brightness(images))
        return brightness(images)

    detector = person_detectors.Detector(name="brightness", frames=frames, count=count)
    spans = [(6.0, 9.0), (0.0, 3.0)]
    found = detector.in_shots(brightening, spans)
    first = np.array(seen[:frames])
    # A second is 20 steps of luma, and luma spans 219 of 255.
    times = 6.0 + 3.0 * (np.arange(frames) + 1) / (frames + 1)
    assert first == pytest.approx(20 * 255 / 219 * times, abs=4)
    assert found == [max(seen[:frames]), max(seen[frames:])]
    assert found[0] > found[1]


def test_a_long_video_is_never_held_whole(brightening):
    held = []

    def count(images):
        held.append(len(images))
        return [0] * len(images)

    detector = person_detectors.Detector(name="none", frames=5, count=count)
    assert detector.in_shots(brightening, [(0.0, 2.0)] * 30) == [0] * 30
    assert sum(held) == 150
    assert max(held) <= 48


@pytest.mark.parametrize("name", ["hog", "hog_faces"])
def test_nothing_is_found_where_there_is_nothing(brightening, name):
    assert person_detectors.detector(Proposal(people=name), "cpu").in_shots(brightening, [(0, 5), (5, 10)]) == [0, 0]


@pytest.mark.skipif(not VIDEOS.is_dir(), reason="no shared videos beside the project")
@pytest.mark.parametrize(
    ("video", "name", "shows"),
    [
        ("ucf11_shooting_01_01.mpg", "hog", True),
        ("asl_walk.mkv", "hog", False),  # a head and shoulders is no whole figure
        ("asl_walk.mkv", "hog_faces", True),
        ("tc_av1.mkv", "hog_faces", False),
    ],
)
def test_real_people_are_found_with_nothing_to_download(tmp_path, video, name, shows):
    (found,) = person_detectors.detector(Proposal(people=name, people_frames=4), "cpu").in_shots(
        proxy(VIDEOS / video, tmp_path), [(0.0, 2.4)]
    )
    assert (found > 0) == shows
