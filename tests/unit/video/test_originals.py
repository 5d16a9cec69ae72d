"""Proxies keep the clock that a player shows: frames carry their number as blocks of black and white."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from numbered_films import FIELDS, FILMS, film, number_on, remux, steady

from slac_tasks.collect.settings import Collect
from slac_tasks.errors import is_disk_full
from slac_tasks.video import originals
from slac_tasks.video.frames import count_frames, read_frames


def proxied(path: Path, folder: Path) -> tuple[originals.Probe, originals.Proxy]:
    found = originals.probe(path, Collect())
    return found, originals.make_proxy(path, folder, found, Collect())


def assert_right_second(proxy: originals.Proxy, at_ms: Sequence[int], *, turns: int = 0, first: int = 0) -> None:
    """Frame k of both renditions shows what the original shows at k / rate, within half a frame of the proxy."""
    shown_ms = [at - at_ms[first] for at in at_ms] + [10**9]
    half = 500 / proxy.fps + 1

    def is_right(image: np.ndarray, k: int) -> bool:
        number, now = number_on(image), 1000 * k / proxy.fps
        return shown_ms[number] - half <= now < shown_ms[number + 1] + half

    frames = len(proxy.small)
    assert frames == round(proxy.duration_sec * proxy.fps)
    for path in (proxy.path_256, proxy.path_128):
        assert count_frames(path) == frames
        # The end of a video may hold its last picture; all else must be right.
        for k, image in enumerate(read_frames(path, [(k + 0.5) / proxy.fps for k in range(frames)])):
            assert is_right(np.rot90(image, turns), k), (path.name, k)
    for k in (0, frames // 2):
        assert is_right(np.rot90(proxy.small[k], turns).repeat(4, 0).repeat(4, 1), k), k


def test_an_original_that_is_no_larger_than_the_small_rendition_is_encoded_once(tmp_path: Path) -> None:
    encodings = {}
    for size in ((160, 120), (320, 240)):
        path = film(tmp_path / f"{size[0]}.mp4", steady(24, 2), size=size)
        found, proxy = proxied(path, tmp_path)
        encodings[size] = originals.command(path, tmp_path, found, Collect()).count("libx264")
        assert (proxy.path_128.read_bytes() == proxy.path_256.read_bytes()) is (encodings[size] == 1)
    assert encodings == {(160, 120): 1, (320, 240): 2}


@pytest.mark.parametrize("name", FILMS)
def test_a_frame_is_read_back_at_its_second(tmp_path: Path, name: str) -> None:
    at_ms, options = FILMS[name]
    found, proxy = proxied(film(tmp_path / name, at_ms, **options), tmp_path)
    assert proxy.fps == originals.proxy_rate(1000 * (len(at_ms) - 1) / (at_ms[-1] - at_ms[0]))
    assert_right_second(proxy, at_ms)
    assert found.duration_sec == pytest.approx(proxy.duration_sec, abs=max(0.5, 1 / found.fps))


@pytest.mark.parametrize(("degrees", "turns"), [(90, -1), (-90, 1), (180, 2)])
def test_a_rotation_is_applied(tmp_path: Path, degrees: int, turns: int) -> None:
    at_ms = steady(25, 2.5)
    plain = film(tmp_path / "plain.mp4", at_ms)
    found, proxy = proxied(remux(plain, tmp_path / "turned.mp4", ("-display_rotation", str(degrees))), tmp_path)
    assert (found.width, found.height) == ((240, 320) if degrees % 180 else (320, 240))
    # ffmpeg's option turns against the clock, as numpy does.
    assert_right_second(proxy, at_ms, turns=turns)


def test_an_edit_list_is_applied(tmp_path: Path) -> None:
    at_ms = steady(25, 6)
    plain = film(tmp_path / "plain.mp4", at_ms)
    cut = remux(plain, tmp_path / "cut.mp4", ("-ss", "2.4"))
    _, proxy = proxied(cut, tmp_path)
    assert proxy.duration_sec == pytest.approx(3.6, abs=0.1)
    assert_right_second(proxy, at_ms, first=60)


def test_a_disk_that_is_full_is_no_fault_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    says = "import os, sys; sys.stderr.write(os.strerror(28)); sys.exit(228)"
    monkeypatch.setattr(originals, "command", lambda *_: [sys.executable, "-I", "-S", "-c", says])
    # What ffmpeg says must not go to the same disk.
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(OSError, match="No space left") as caught:
        proxied(film(tmp_path / "film.mp4", steady(24, 2)), tmp_path)
    assert is_disk_full(caught.value)


def test_a_size_that_changes_half_way_does_not_start_the_clock_again(tmp_path: Path) -> None:
    parts = [film(tmp_path / f"{n}.ts", steady(25, 2), size=size) for n, size in enumerate([(320, 240), (640, 360)])]
    (tmp_path / "parts.txt").write_text("".join(f"file '{path}'\n" for path in parts))
    joined = remux(tmp_path / "parts.txt", tmp_path / "joined.ts", ("-f", "concat", "-safe", "0"))
    _, proxy = proxied(joined, tmp_path)
    assert proxy.duration_sec == pytest.approx(4, abs=0.1)
    numbers = [number_on(image) for image in read_frames(proxy.path_128, [0.5, 1.5, 2.5, 3.5])]
    assert numbers == pytest.approx([12, 37, 12, 37], abs=2)


def test_interlaced_originals_keep_their_clock(tmp_path: Path) -> None:
    at_ms = steady(50, 4)
    plain = film(tmp_path / "plain.mp4", at_ms, rate=50)
    found, proxy = proxied(remux(plain, tmp_path / "fields.mpg", after=FIELDS), tmp_path)
    assert found.interlaced
    assert proxy.fps == 25
    for second, image in zip((0.5, 1.5, 2.5), read_frames(proxy.path_256, (0.5, 1.5, 2.5)), strict=True):
        assert number_on(image) == pytest.approx(50 * second, abs=3)


@pytest.mark.parametrize("name", ["raw.h264", "raw.hevc"])
def test_pictures_without_times_are_told_from_no_pictures(tmp_path: Path, name: str) -> None:
    plain = film(tmp_path / "plain.mp4", steady(25, 3))
    made = {"raw.h264": ("-c", "copy"), "raw.hevc": ("-c:v", "libx265", "-x265-params", "log-level=none")}
    with pytest.raises(originals.Rejected, match="its pictures have no times, want them in a container") as no:
        originals.probe(remux(plain, tmp_path / name, after=made[name]), Collect())
    assert no.value.reason == "no clock"


def facts(**changed: object) -> dict:
    return {
        "codec": "h264", "coded": [320, 240], "declared_sec": 10.0, "declared_rate": 25.0, "packets": 250,
        "first_sec": 0.0, "last_sec": 9.96, "end_sec": 10.0, "gap_sec": 0.04, "backward_sec": 0.0,
        "picture": [320, 240], "rotation": 0, "interlaced": False, "sar": 1.0,
    } | changed  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"codec": "bink"}, "unsupported codec"),
        ({"coded": [16000, 16000]}, "frame too large"),
        ({"packets": 0}, "no clock"),
        ({"gap_sec": 11.0}, "discontinuous clock"),
        ({"backward_sec": 3.0}, "discontinuous clock"),
        ({"declared_sec": 30.0}, "corrupt"),
        ({"end_sec": 1000.0}, "too long"),
        ({"last_sec": 0.96, "end_sec": 1.0, "declared_sec": 1.0}, "too short"),
        ({"picture": [320, 16]}, "frame too small"),
        ({"sar": 100.0}, "strange shape"),
    ],
    ids=str,
)
def test_facts_have_their_reasons(changed: dict, reason: str) -> None:
    assert originals.judge(facts(), Collect()).fps == pytest.approx(25)
    with pytest.raises(originals.Rejected) as no:
        originals.judge(facts(**changed), Collect())
    assert no.value.reason == reason


def test_why_a_file_is_broken_is_told_the_same_way_wherever_it_lies(tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.mp4", steady(25, 4))
    data = bytearray(whole.read_bytes())
    data[len(data) // 4 : len(data) // 2] = bytes(len(data) // 2 - len(data) // 4)
    told = set()
    for place, content in (("a", bytes(data)), ("another_place", bytes(data)), ("third", b"\x1aE\xdf\xa3 no more")):
        (tmp_path / place).mkdir()
        path = tmp_path / place / "film"
        path.write_bytes(content)
        with pytest.raises(originals.Rejected) as no:
            proxied(path, tmp_path / place)
        assert no.value.reason == "corrupt"
        assert no.value.detail
        assert str(tmp_path) not in no.value.detail
        assert "file:" not in no.value.detail
        assert "0x" not in no.value.detail
        told.add(no.value.detail)
    assert len(told) == 2


def test_sound_alone_and_a_cover_picture_are_no_video(tmp_path: Path) -> None:
    sound = tmp_path / "sound.mp4"
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "lavfi", "-i", "sine=d=3"]
    cover = (
        "-f",
        "lavfi",
        "-i",
        "color=s=320x240:d=1",
        "-frames:v",
        "1",
        "-c:v",
        "mjpeg",
        "-disposition:v",
        "attached_pic",
    )
    subprocess.run([*program, str(sound)], check=True)
    subprocess.run([*program, *cover, str(tmp_path / "cover.mp4")], check=True)
    for name in ("sound.mp4", "cover.mp4"):
        with pytest.raises(originals.Rejected, match="no video stream"):
            originals.probe(tmp_path / name, Collect())


def test_a_bomb_of_pixels_is_not_decoded(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.mp4"
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "lavfi", "-i", "color=s=8192x4096:r=1:d=3"]
    subprocess.run([*program, "-c:v", "mjpeg", str(bomb)], check=True)
    with pytest.raises(originals.Rejected, match="frame too large"):
        originals.probe(bomb, Collect())
