"""The four stages that turn sources into clips, on a real ledger and generated videos."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision import models

from slac_tasks import cli
from slac_tasks.collect.settings import Collect
from slac_tasks.collect.sources import FolderSource, ManifestSource
from slac_tasks.config import Config
from slac_tasks.errors import BrokenContract
from slac_tasks.job import Job
from slac_tasks.networks.settings import Proposal
from slac_tasks.stages import deduplicate, discover, fetch, propose
from slac_tasks.storage.datasets import CANDIDATES, CLIPS, FETCHED, VIDEOS
from slac_tasks.storage.datasets.collecting import Span, VideoRow
from slac_tasks.storage.ledger import Ledger
from slac_tasks.video import lengths, originals, shots
from slac_tasks.video.frames import read_clips

WEEK, NEXT = "2026-01-05", "2026-01-12"


def draw(path: Path, *, seed: int = 1, size: str = "160x120", seconds: float = 4, extra: tuple[str, ...] = ()) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = f"mandelbrot=s={size}:r=24:start_scale={seed}"
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "lavfi", "-i", pictures, "-t", str(seconds)]
    encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    subprocess.run([*ffmpeg, *encoder, *extra, str(path)], check=True)
    return path


def proxy_of(path: Path, folder: Path) -> tuple[originals.Probe, originals.Proxy]:
    found = originals.probe(path, Collect())
    return found, originals.make_proxy(path, folder, found, Collect())


def test_odd_late_and_uneven_originals_become_even_regular_proxies(tmp_path: Path) -> None:
    original = draw(
        tmp_path / "odd.mkv", size="321x241", seconds=7,
        extra=("-vf", "select='mod(n,5)',setpts=PTS+3/TB,format=yuv444p",
        "-pix_fmt", "yuv444p", "-fps_mode", "vfr"),
    )  # fmt: skip
    found, proxy = proxy_of(original, tmp_path)
    assert (found.width, found.height, proxy.fps) == (321, 241, 24)
    assert proxy.duration_sec == pytest.approx(4, abs=0.3)
    clips = read_clips(proxy.path_256, [0.0, 0.5, proxy.duration_sec - 2], frames=4, size=112)
    assert clips.shape == (3, 4, 112, 112, 3)


def test_clips_read_one_by_one_equal_clips_read_together(tmp_path: Path) -> None:
    _, proxy = proxy_of(draw(tmp_path / "a.mp4", seconds=8), tmp_path)
    together = read_clips(proxy.path_128, [0, 0.5, 5.5, 6], frames=8, size=64)
    for index, start in enumerate([0, 0.5, 5.5, 6]):
        assert (read_clips(proxy.path_128, [start], frames=8, size=64)[0] == together[index]).all()
    with pytest.raises(BrokenContract, match="inside 0 to 8"):
        read_clips(proxy.path_128, [7.0], frames=8, size=64)


def test_broken_files_have_their_reasons(tmp_path: Path) -> None:
    whole = draw(tmp_path / "whole.mp4", extra=("-movflags", "+faststart")).read_bytes()
    bad = {
        "empty file": b"",
        "not a video": b"these are words and no pictures",
        "corrupt": whole[: len(whole) * 6 // 10],
    }
    for reason, data in bad.items():
        path = tmp_path / "bad.mp4"
        path.write_bytes(data)
        with pytest.raises(originals.Rejected) as no:
            proxy_of(path, tmp_path)
        assert no.value.reason == reason
    with pytest.raises(originals.Rejected, match="too short"):
        originals.probe(draw(tmp_path / "short.mp4", seconds=1), Collect())


@pytest.mark.parametrize(("frames", "clips"), [(47, 1), (46, 1), (45, 0)])
def test_a_video_two_frames_shorter_than_a_clip_is_one(tmp_path: Path, frames: int, clips: int) -> None:
    path = draw(tmp_path / "short.mp4", seconds=frames / 24)
    if not clips:
        with pytest.raises(originals.Rejected, match="too short"):
            proxy_of(path, tmp_path)
        return
    _, proxy = proxy_of(path, tmp_path)
    assert len(proxy.small) == frames
    video = VideoRow(
        candidate_id="c", source="s", source_id="s", video_id="v", group_id="v", split="training",
        duration_sec=proxy.duration_sec, fps=proxy.fps, proxy_256="p", proxy_128="p", proxy_sha256="0",
        shots=(Span(start_sec=0.0, end_sec=proxy.duration_sec),),
    )  # fmt: skip
    (found,) = [
        row for shot, span in propose.long_shots(video, 2.0) for row in propose.clips_of(video, shot, span, None)
    ]
    assert (found.start_sec, found.end_sec) == (0.0, 2.0)
    assert read_clips(proxy.path_128, [found.start_sec], frames=16, size=64).shape == (1, 16, 64, 64, 3)


def test_a_shot_two_frames_shorter_than_a_clip_holds_none_inside_a_longer_video() -> None:
    video = VideoRow(
        candidate_id="c", source="s", source_id="s", video_id="v", group_id="v", split="training", duration_sec=3.9,
        fps=24, proxy_256="p", proxy_128="p", proxy_sha256="0",
        shots=(Span(start_sec=0.0, end_sec=1.95), Span(start_sec=1.95, end_sec=3.9)),
    )  # fmt: skip
    assert list(propose.long_shots(video, 2.0)) == []


def test_how_many_videos_are_too_short_or_too_long_is_known_before_the_work(tmp_path: Path) -> None:
    paths = [draw(tmp_path / f"{seconds}.mp4", seconds=seconds) for seconds in (1, 1.5, 1.95, 2, 4)]
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    found = lengths.outside([*paths, broken], 2.0, 3.0)
    assert (found.files, found.looked_at, found.short, found.long) == (6, 5, 2, 1)
    assert found.share(found.short) == "2 of 5 videos looked at (of 6)"


def test_register_says_how_many_files_of_a_folder_will_be_dropped(
    tmp_path: Path, ledger_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, seconds in enumerate((1, 3, 5)):
        draw(tmp_path / "videos/judo" / f"{number}.mp4", seconds=seconds)
    settings = tmp_path / "slac.toml"
    settings.write_text(f'[collect]\nsources = ["{tmp_path}/videos"]\nmax_duration_sec = 4.0\n')
    monkeypatch.setenv("SLAC_DATABASE_URL", ledger_url)
    monkeypatch.setenv("SLAC_CONFIG", str(settings))
    monkeypatch.setenv("SLAC_STORE", str(tmp_path / "store"))
    assert cli.main(["register", "--from-sources"]) == 0
    said = capsys.readouterr().err
    assert "1 of 3 videos looked at (of 3) are shorter than 2.0 s: `fetch` will drop them" in said
    assert "1 of 3 videos looked at (of 3) are longer than 4.0 s: `fetch` will drop them" in said
    assert "register: 1 category: judo" in said


def test_a_playlist_that_names_other_files_is_not_opened(tmp_path: Path) -> None:
    secret = draw(tmp_path / "secret.ts")
    playlist = tmp_path / "a.mp4"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{secret}\n#EXT-X-ENDLIST\n")
    with pytest.raises(originals.Rejected, match="not a video: want one of mov, matroska, avi"):
        originals.probe(playlist, Collect())


def test_a_cut_ends_a_shot_and_a_fade_of_brightness_does_not_shatter_one() -> None:
    noise = np.random.default_rng(0).integers(0, 40, (48, 48, 48, 3))
    frames = np.concatenate([noise + 20, noise + 180]).astype(np.uint8)
    assert shots.shots(frames, 24) == [(0, 2), (2, 4)]
    fading = (np.linspace(200, 0, 96)[:, None, None, None] + np.zeros((1, 48, 48, 3))).astype(np.uint8)
    assert len(shots.shots(fading, 24)) <= 3


@given(start=st.floats(0, 100), length=st.floats(0, 20))
def test_clips_lie_on_the_grid_and_inside_their_shot(start: float, length: float) -> None:
    for at in propose.clip_starts(start, start + length):
        assert at * 2 == int(at * 2)
        assert start - 1e-5 <= at
        assert at + 2 <= start + length + 1e-5


def test_bad_sources_are_named(tmp_path: Path) -> None:
    with pytest.raises(BrokenContract, match="has no sub-folder"):
        FolderSource(tmp_path)
    path = tmp_path / "m.csv"
    path.write_text("category,title\na,b\n")
    with pytest.raises(BrokenContract, match=r"line 1: columns .* want also \['location'\]"):
        ManifestSource(path)
    path = tmp_path / "m.jsonl"
    path.write_text("{oops\n")
    with pytest.raises(BrokenContract, match=r"line 1 set aside: bad entry: found '\{oops'"):
        ManifestSource(path)
    path.write_text('{"category": "a", "location": "b"}\n{oops\n')
    source = ManifestSource(path)
    assert [str(entry) for entry in source.unplaced()] == [
        "m.jsonl line 2 set aside: bad entry: found '{oops', want a JSON object "
        "(Expecting property name enclosed in double quotes: line 1 column 2 (char 1))"
    ]


class Ingest:
    """The four stages over one store and one ledger."""

    def __init__(self, store: Path, source: Path, ledger_url: str) -> None:
        self.config = Config(store_url=str(store), collect=Collect(sources=(str(source),)))
        self.environ = {"SLAC_DATABASE_URL": ledger_url, "SLAC_STORE": str(store)}

    def run(self, stage: str, *categories: str, window: str = WEEK, **more: Any) -> Job:
        job = Job(
            stage=stage,
            config=self.config,
            environ=self.environ,
            categories=categories,
            given={"window": window},
            **more,
        )
        module = {"discover": discover, "fetch": fetch, "deduplicate": deduplicate, "propose": propose}[stage]
        module.run(job)
        return job

    def all(self, *categories: str, window: str = WEEK) -> Job:
        for stage in ("discover", "fetch", "deduplicate"):
            self.run(stage, *categories, window=window)
        return self.run("propose", *categories, window=window)


@pytest.fixture
def ingest(tmp_path: Path, ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> Ingest:
    first = draw(tmp_path / "videos" / "Arm wave" / "one.mp4", seed=1)
    draw(tmp_path / "videos" / "Jump" / "other.mp4", seed=3, extra=("-vf", "negate,hflip"))
    shutil.copy(first, tmp_path / "videos" / "Arm wave" / "same.mp4")
    shutil.copy(first, tmp_path / "videos" / "Jump" / "shared.mp4")
    (tmp_path / "videos" / "Jump" / "words.mp4").write_text("no video, only words")
    monkeypatch.setenv("SLAC_DATABASE_URL", ledger_url)
    assert cli.main(["register", "--category", "Arm wave", "--category", "Jump", "--guideline", "all of it"]) == 0
    assert cli.main(["register", "--category", "Jump", "--guideline", "half of it"]) == 0
    return Ingest(tmp_path / "store", tmp_path / "videos", ledger_url)


def test_sources_become_clips_once(ingest: Ingest, ledger_url: str) -> None:
    job = ingest.all("arm_wave", "jump")
    versions = {row["category"]: row["guideline_version"] for row in Ledger(ledger_url).rows("categories")}
    assert versions["jump"] == versions["arm_wave"] + 1
    arm = {"category": "arm_wave", "window": WEEK}
    jump = {"category": "jump", "window": WEEK}
    assert job.datasets.need(CANDIDATES, **arm).rows == 2
    assert job.datasets.need(FETCHED, **arm).dropped == {"duplicate bytes": 1}
    assert job.datasets.need(FETCHED, **jump).dropped == {"not a video": 1}
    videos = job.datasets.read(VIDEOS, **jump).to_pylist()
    assert len(videos) == 2
    assert job.datasets.need(CLIPS, **arm).rows == 5
    before = job.datasets.need(VIDEOS, **jump).sha256
    ingest.all("arm_wave", "jump")
    assert job.datasets.need(VIDEOS, **jump).sha256 == before
    again = ingest.run("deduplicate", remake=True)
    assert again.datasets.read(VIDEOS, **jump).to_pylist() == videos
    # An undated video belongs to the window that saw it first.
    later = ingest.all("arm_wave", window=NEXT)
    assert later.datasets.need(CANDIDATES, category="arm_wave", window=NEXT).rows == 0
    assert later.datasets.need(CLIPS, category="arm_wave", window=NEXT).rows == 0
    Ledger(ingest.environ["SLAC_DATABASE_URL"]).run(
        "register_category", category="nobody_does_this", name="nobody", guideline=None
    )
    nobody = ingest.run("discover", "nobody_does_this").datasets
    assert nobody.need(CANDIDATES, category="nobody_does_this", window=WEEK).dropped == {discover.NO_SOURCE: 1}


def test_shots_in_which_the_people_detector_finds_nobody_are_dropped(ingest: Ingest, tmp_path: Path) -> None:
    name = "fasterrcnn_mobilenet_v3_large_fpn"
    state = models.get_model(name, weights=None, weights_backbone=None).state_dict()
    state["roi_heads.box_predictor.cls_score.bias"][0] = 50.0  # everything is background
    torch.save(state, tmp_path / "nobody.pt")
    proposal = Proposal(people="faster_rcnn_mobilenet", people_weights=str(tmp_path / "nobody.pt"))
    ingest.config = replace(ingest.config, proposal=proposal)
    job = ingest.all("jump")
    clips = job.datasets.need(CLIPS, category="jump", window=WEEK)
    assert job.datasets.read(CLIPS, category="jump", window=WEEK).num_rows == 0
    assert set(clips.dropped) == {"no people in the shot"}
    assert len(clips.made_from["people/faster_rcnn_mobilenet"]) == 16
    (tmp_path / "nobody.pt").unlink()  # what is finished needs no weights
    assert ingest.run("propose", "jump").datasets.need(CLIPS, category="jump", window=WEEK) == clips
