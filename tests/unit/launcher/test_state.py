"""What a demo keeps: its settings load, its folders do not meet, and bad folders are refused before anything starts."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from judged_labels import labels

from slac_tasks import cli, config
from slac_tasks.errors import BrokenContract, WrongArguments
from slac_tasks.launcher.state import Demo, found
from slac_tasks.launcher.subjects import GeneratedWorld, OwnVideos, Rehearsed, Subject, check_videos
from slac_tasks.quality.gate import Evidence, judged, measures
from slac_tasks.quality.precision import JUDGED
from slac_tasks.world.rehearsal import Rehearsal


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLAC_HOME", str(tmp_path / "home"))


def folder(tmp_path: Path) -> Path:
    (tmp_path / 'odd "name"' / "judo").mkdir(parents=True)
    (tmp_path / 'odd "name"' / "judo" / "1.MP4").write_bytes(b"x")
    return tmp_path / 'odd "name"'


def demos(videos: Path) -> list[Demo]:
    subjects: list[Subject] = [
        GeneratedWorld(), GeneratedWorld(size="quick"), Rehearsed(rehearsal=Rehearsal.of(videos)),
        Rehearsed(rehearsal=Rehearsal.of(videos, seed=1)),
    ]  # fmt: skip
    return [*(Demo(subject=subject) for subject in subjects), Demo(subject=OwnVideos(folder=videos), people=False)]


def test_settings_of_every_demo_load(tmp_path: Path) -> None:
    videos = folder(tmp_path)
    for demo in demos(videos):
        demo.write_config()
        settings = config.load(demo.environ("postgresql://x@127.0.0.1/slac"))
        assert len(settings.committee.members) >= 3
        assert settings.release.wait_for_queue
        assert settings.quality.approve_timeout_sec >= 86_400, "the demo says that a question waits for the person"
    assert settings.collect.sources == (str(videos),), "the last one is on the folder itself"


def test_who_is_alone_with_a_folder_of_videos_is_asked_once_and_passes_the_gate(tmp_path: Path) -> None:
    demo = Demo(subject=OwnVideos(folder=folder(tmp_path)), people=False)
    demo.write_config()
    settings = config.load(demo.environ(""))
    review = settings.review
    assert {review.votes_wanted, review.votes_judging, review.control_votes, review.control_lead} == {1}
    assert review.again_below == 0
    once = pd.concat([labels()] * 3).assign(first_two_agree=None, audit_share=0.0)
    kinds = {"drawn": bool, "audited": bool, "known": bool, "audit_share": float}
    nothing = pd.DataFrame({name: [] for name in JUDGED}).astype(kinds)
    control = pd.DataFrame({name: [] for name in ("clip_id", "kind", "label", "truth", "weight")})
    found = Evidence(category="judo", labels=once, judged=nothing, control=control)
    verdict = judged("judo", measures(found, settings.quality, review))
    assert (verdict.verdict, verdict.reasons) == ("accepted", ())


def test_edited_settings_are_kept(tmp_path: Path) -> None:
    demo = Demo(subject=OwnVideos(folder=folder(tmp_path)))
    demo.write_config()
    demo.config.write_text("[mining]\nclips_per_round = 7\n")
    demo.write_config()
    assert config.load(demo.environ("")).mining.clips_per_round == 7


@pytest.mark.parametrize("write", [Demo.write, Demo.write_config, lambda demo: demo.subject.windows(demo.home)])
def test_a_write_that_a_kill_has_cut_off_is_done_again(
    write: Callable[[Demo], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = Demo(subject=OwnVideos(folder=folder(tmp_path)))
    whole = Path.write_text

    def torn(path: Path, text: str, **how: str) -> int:
        whole(path, text[:3], **how)
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(Path, "write_text", torn)
        with pytest.raises(KeyboardInterrupt):
            write(demo)
    assert [path.name for path in demo.home.iterdir()] == []
    write(demo)
    assert [len(path.read_text()) > 3 for path in demo.home.iterdir()] == [True]


def test_what_an_older_release_left_is_refused_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    demo = Demo(subject=GeneratedWorld(size="quick"))
    demo.write_config()
    demo.check()
    demo.world.mkdir()
    (demo.world / "world.json").write_text('{"version": 1, "seed": 0, "size": "quick"}')
    assert cli.main(["demo", "--size", "quick"]) == 65
    assert "want {'version': " in (said := capsys.readouterr().err)
    assert "if an older release made this demo, `slac down --remove` deletes it" in said
    (demo.world / "world.json").unlink()
    demo.config.write_text("[mining]\ndisagreement = 0.9\n")
    assert cli.main(["demo", "--size", "quick"]) == 64
    assert "setting mining.disagreement: is 0.9" in capsys.readouterr().err
    assert not (demo.home / "postgres").exists()


def test_demos_are_found_again(tmp_path: Path) -> None:
    made = demos(folder(tmp_path))
    assert len({demo.home for demo in made}) == len(made)
    for demo in made:
        demo.write()
    assert sorted(found(), key=repr) == sorted(made, key=repr)


def test_a_rehearsal_is_found_again_when_its_folder_has_changed(tmp_path: Path) -> None:
    videos = folder(tmp_path)
    begun = Demo(subject=Rehearsed(rehearsal=Rehearsal.of(videos)))
    begun.write()
    (videos / "judo" / "2.mp4").write_bytes(b"y")
    assert found() == [begun], "`slac down` stops it"
    assert Demo(subject=Rehearsed(rehearsal=Rehearsal.of(videos))).home != begun.home


def test_a_missing_folder_is_a_wrong_argument(tmp_path: Path) -> None:
    with pytest.raises(WrongArguments, match="no folder"):
        check_videos(tmp_path / "absent")


def test_folders_without_categories_or_videos_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenContract, match="no sub-folder"):
        check_videos(tmp_path)
    (tmp_path / "judo").mkdir()
    (tmp_path / "judo" / "notes.txt").touch()
    with pytest.raises(BrokenContract, match="no sub-folder with a video file"):
        check_videos(tmp_path)


def test_a_refused_folder_starts_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["demo", "--videos", str(tmp_path / "absent")]) == 64
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "home").exists()
