import json
import tomllib
from pathlib import Path

import av
import pytest

from slac_tasks import config
from slac_tasks.collect.sources import open_sources
from slac_tasks.errors import BrokenContract
from slac_tasks.model import check_slug
from slac_tasks.world import catalogue, disk, film, make, presets
from slac_tasks.world.truth import read_truth

TINY = catalogue.Size(
    pairs=1, windows=1, videos=1, wrong=0, duration_sec=6.0, copies=1, broken=2, targets=1, train=1, test=1
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(catalogue.SIZES, "quick", TINY)
        assert make.make_world(folder, seed=7, size="quick", processes=1)
    return folder


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    (tmp_path / ".world.json.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        disk.write(tmp_path / "world.json", "{}")
    assert caught.value.filename == str(tmp_path / "world.json")


def test_same_script_is_the_same_bytes(tmp_path: Path) -> None:
    entry = catalogue.make_catalogue(7, "quick").entries[0]
    for name in ("a.mp4", "b.mp4"):
        film.film(tmp_path / name, entry.script)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_second_make_finds_it_finished(world: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in world.rglob("*.mp4")}
    assert not make.make_world(world, seed=7, size="quick", processes=1)
    assert {path: path.stat().st_mtime_ns for path in world.rglob("*.mp4")} == before


def test_another_world_in_the_folder_is_refused(world: Path) -> None:
    with pytest.raises(BrokenContract, match="seed"):
        make.make_world(world, seed=8, size="quick", processes=1)


def test_no_temporary_file_is_left(world: Path) -> None:
    assert not list(world.rglob("*.part"))


def test_manifest_names_every_file(world: Path) -> None:
    rows = [json.loads(text) for text in (world / "manifest.jsonl").read_text().splitlines()]
    assert {row["location"] for row in rows} == {str(p.relative_to(world)) for p in (world / "videos").rglob("*.mp4")}
    assert all(check_slug(row["category"]) for row in rows)
    (source,) = open_sources((str(world / "manifest.jsonl"),))
    assert set(source.categories()) == {row["category"] for row in rows}


def test_truth_knows_every_video_and_manifest_tells_none_of_it(world: Path) -> None:
    rows = [json.loads(text) for text in (world / "manifest.jsonl").read_text().splitlines()]
    assert {row["source_id"] for row in rows} == set(read_truth(world).segments)
    assert not any("segments" in row for row in rows)


def test_videos_play_for_their_length(world: Path) -> None:
    for text in (world / "truth.jsonl").read_text().splitlines():
        row = json.loads(text)
        if not row["broken"]:
            with av.open(str(world / "videos" / row["category"] / f"{row['source_id']}.mp4")) as container:
                assert container.duration / 1e6 == pytest.approx(row["duration_sec"], abs=0.1)


def test_settings_are_read_by_the_platform(world: Path) -> None:
    found = config.load({"SLAC_CONFIG": str(world / "slac.toml"), "SLAC_STORE": str(world / "store")})
    assert found.collect.sources == (str(world / "manifest.jsonl"),)
    assert Path(found.training.transfer).is_dir()


@pytest.mark.parametrize("size", catalogue.SIZES)
def test_settings_of_every_size_are_toml_without_a_store(size: str) -> None:
    assert "store_url" not in tomllib.loads(presets.world_settings(Path("/nowhere"), size))


def test_broken_files_are_broken(tmp_path: Path) -> None:
    script = catalogue.make_catalogue(7, "quick").entries[0].script
    for how in catalogue.BROKEN:
        film.break_file(tmp_path / how, how, script)
    assert (tmp_path / "empty").stat().st_size == 0
    with av.open(str(tmp_path / "audio")) as container:
        assert not container.streams.video
    for how in ("truncated", "text"):
        with pytest.raises(av.FFmpegError):
            av.open(str(tmp_path / how))
