"""`slac recheck` counts what could be fetched; with --to a run that is cut off asks for the others."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import planned_server
import pytest
from planned_server import serve, status
from released import released, write_rows

from slac_tasks import cli
from slac_tasks.admission.withdrawals import Withdrawals, write_withdrawal
from slac_tasks.collect.downloads.reasons import Unfetched
from slac_tasks.collect.locations import Access
from slac_tasks.collect.settings import Collect, Fetch
from slac_tasks.commands import recheck
from slac_tasks.storage.datasets import VIDEOS
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.tables import Datasets

NAMES = [letter * 16 for letter in "abcd"]


class CutOff(BaseException):
    """Nothing catches it."""


class Web:
    """Answers in the place of every host, and knows what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.fails: dict[str, Unfetched] = {"b" * 16: Unfetched("gone", "status 404")}
        self.cut_off: int | None = None
        monkeypatch.setattr(recheck, "outcome", self.outcome)

    def outcome(self, row: recheck.ReleasedVideo, *, access: object, withdrawals: object) -> str:
        if len(self.asked) == self.cut_off:
            raise CutOff
        self.asked.append(row.video_id)
        if row.video_id in self.fails:
            raise self.fails[row.video_id]
        return recheck.FETCHABLE


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderStore:
    made = FolderStore(tmp_path / "store")
    write_rows(Datasets(made), "r0001", [released(video) for video in NAMES])
    write_rows(Datasets(made), "r0002", [released(video) for video in NAMES[:1]])
    (tmp_path / "slac.toml").write_text("[fetch]\nworkers = 1\ntries = 1\n")
    monkeypatch.setenv("SLAC_STORE", made.url)
    monkeypatch.setenv("SLAC_CONFIG", str(tmp_path / "slac.toml"))
    return made


@pytest.fixture
def web(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> Web:
    return Web(monkeypatch)


def check(to: Path, release: str = "r0001") -> int:
    return cli.main(["recheck", "--release", release, "--to", str(to)])


@pytest.mark.parametrize("cut_off", range(len(NAMES)))
def test_cut_off_after_any_answer_it_asks_for_the_others(
    web: Web, tmp_path: Path, capsys: pytest.CaptureFixture[str], cut_off: int
) -> None:
    assert check(tmp_path / "whole.jsonl") == 0
    whole = capsys.readouterr().out
    web.asked.clear()
    web.cut_off = cut_off
    with pytest.raises(CutOff):
        check(tmp_path / "cut.jsonl")
    web.cut_off = None
    assert check(tmp_path / "cut.jsonl") == 0
    assert capsys.readouterr().out == whole
    assert sorted(web.asked) == NAMES, "each is asked for once"
    told = [json.loads(line) for line in (tmp_path / "cut.jsonl").read_text().splitlines()]
    assert {(one["video_id"], one["reason"]) for one in told if one["detail"]} == {("b" * 16, "gone")}


def test_what_may_pass_is_asked_again(web: Web, tmp_path: Path) -> None:
    web.fails = {"c" * 16: Unfetched("network", "no answer", retryable=True)}
    check(tmp_path / "told.jsonl")
    web.fails.clear()
    web.asked.clear()
    assert check(tmp_path / "told.jsonl") == 0
    assert web.asked == ["c" * 16]
    web.asked.clear()
    check(tmp_path / "told.jsonl")
    assert web.asked == []


def test_a_video_that_was_withdrawn_since_and_one_of_another_release_are_not_known(
    web: Web, store: FolderStore, tmp_path: Path
) -> None:
    check(tmp_path / "told.jsonl")
    web.asked.clear()
    write_withdrawal(store, "d" * 16, "asked")
    check(tmp_path / "told.jsonl")
    assert web.asked == ["d" * 16], "which says that it is taken down, and asks nobody"
    web.asked.clear()
    check(tmp_path / "told.jsonl", "r0002")
    assert web.asked == ["a" * 16]


@pytest.mark.usefixtures("web")
@pytest.mark.parametrize(
    "holds",
    [
        "video,reason\n", "{}\n", "\0", "\n",
        '{\n "database": {}\n}\n', '{"release": "r0001"}\n', '{"release": "r1"}\n7\n',
    ],
)  # fmt: skip
def test_another_file_is_left_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str], holds: str) -> None:
    (tmp_path / "mine").write_text(holds)
    assert check(tmp_path / "mine") == 64
    assert "is there and holds no outcomes" in capsys.readouterr().err
    assert (tmp_path / "mine").read_text() == holds


@pytest.mark.usefixtures("web")
@pytest.mark.parametrize("where", [".", "nowhere/told.jsonl"])
def test_where_nothing_can_be_written_is_a_wrong_argument(tmp_path: Path, where: str) -> None:
    assert check(tmp_path / where) == 64


def test_a_file_that_a_kill_has_torn_is_gone_on_with(web: Web, tmp_path: Path) -> None:
    check(tmp_path / "whole.jsonl")
    whole = (tmp_path / "whole.jsonl").read_bytes()
    for size in (0, 1, len(recheck._BEGINS), len(whole) - 3):
        (tmp_path / "torn.jsonl").write_bytes(whole[:size])
        assert check(tmp_path / "torn.jsonl") == 0
        web.asked.clear()
        assert check(tmp_path / "torn.jsonl") == 0
        assert web.asked == []


def test_recheck_names_no_address_of_a_window_whose_fetched_videos_the_store_has_lost(tmp_path: Path) -> None:
    datasets = Datasets(FolderStore(tmp_path))
    address = VIDEOS.address({"category": "judo", "window": "2026-01-05"})
    write_rows(datasets, "r0001", [released("a" * 16, category="all")], made_from={address: "g0001:1"})
    (video,) = recheck.videos(datasets, "r0001")
    assert (video.video_id, video.location) == ("a" * 16, None)
    lines = recheck.render({"all": Counter({"address unknown": 1})}).splitlines()
    assert [line.split("  ")[0] for line in lines[1:]] == ["all", "all categories"]


def test_recheck_counts_what_could_still_be_fetched(tmp_path: Path) -> None:
    with planned_server.running() as server:
        server.paths |= {"/0.mp4": serve(b"film"), "/gone": status(404), "/busy": status(503)}
        (tmp_path / "here.mp4").write_bytes(b"x")
        places = [server.url + path for path in ("/0.mp4", "/gone", "/busy")]
        places += [str(tmp_path / name) for name in ("here.mp4", "nowhere")]
        rows = [
            recheck.ReleasedVideo(
                category="judo" if number % 2 else "golf",
                video_id=str(number),
                source=str(tmp_path),
                source_id="",
                location=place,
            )
            for number, place in enumerate([*places, None])
        ]
        collect = Collect(sources=(str(tmp_path),), allow_private_addresses=True)
        access = Access(collect=collect, fetch=Fetch(requests_per_sec=500.0, max_wait_sec=2.0), environ={})
        withdrawn = replace(rows[0], location=server.url + "/private")
        write_withdrawal(FolderStore(tmp_path / "store"), server.url + "/private", "asked")
        of_store = Withdrawals.read(FolderStore(tmp_path / "store"))
        found = recheck.by_category(recheck.ask([*rows, withdrawn], access, of_store))
        assert found == {
            "judo": {"gone": 1, "fetchable": 1, "address unknown": 1},
            "golf": {"fetchable": 1, "server error": 1, "gone": 1, "taken down": 1},
        }
        assert "fetchable" in recheck.render(found).splitlines()[0]
        # No more than the first byte was asked for.
        assert all(headers.get("Range") == "bytes=0-0" for _, _, headers in server.asked)
