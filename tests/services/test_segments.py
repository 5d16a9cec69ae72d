"""Proposals become segments in the queue, and people's answers dense labels; withdrawn videos are never asked."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from review_work import ROUND, cast, lease
from segment_work import admit, cast_segment, lease_segments, results

from slac_tasks import cli, garbage
from slac_tasks.annotations.reading import read
from slac_tasks.commands import segments
from slac_tasks.errors import Temporary
from slac_tasks.forgetting import forget
from slac_tasks.quality.settings import Quality
from slac_tasks.reconcile import repair
from slac_tasks.release.finished import need_release
from slac_tasks.stages import aggregate, publish, release, sync, validate
from slac_tasks.storage import gold_segments
from slac_tasks.storage.datasets import RELEASED_SEGMENTS, SEGMENT_LABELS, SEGMENT_PEOPLE, SEGMENT_VOTES, SEGMENTS
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.settings import Review


@pytest.fixture
def place(store: FolderStore, ledger_url: str, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Six admitted videos, and a file with a segment in each and one that cannot be asked."""
    for name, value in {"SLAC_STORE": store.url, "SLAC_DATABASE_URL": ledger_url, "SLAC_CONFIG": ""}.items():
        monkeypatch.setenv(name, value)
    videos = admit(ledger, Datasets(store))
    lines = {video: [(10.0, 20.0, 0.9 - number / 10)] for number, video in enumerate(videos)}
    results(tmp_path / "results.json", lines | {"nobody": [(1.0, 2.0, 0.5)]})
    return tmp_path


def ask(place: Path, name: str = "results.json", *flags: str, origin: str = "net") -> int:
    return cli.main(["segments", "ask", str(place / name), "--as", origin, *flags])


def states(ledger: Ledger) -> list[tuple[int, int, str]]:
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT taken, votes_wanted, state FROM segments ORDER BY score DESC")
        return list(cursor.fetchall())


def collect(make_job: Any) -> None:
    sync.run(make_job("sync"))
    aggregate.run(make_job("aggregate"))


def test_proposals_enter_the_queue_once_and_the_rest_is_listed_with_its_reason(
    place: Path, store: FolderStore, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(place) == 0
    text = capsys.readouterr().err
    assert "set aside video 'nobody', segment 1: video: 'nobody' is not admitted for high_jump" in text
    assert "6 segments, 6 of them in the queue" in text
    assert ask(place) == 0
    assert len(states(ledger)) == 6
    datasets = Datasets(store)
    (keys,) = datasets.partitions(SEGMENTS)
    assert keys["round"].startswith("net.")
    assert cli.main(["segments", "list"]) == 0
    assert "6 segments, 0 finished, 0 answers, 0 gold" in capsys.readouterr().out
    # Another file with the same segments asks nobody twice.
    results(place / "again.json", {f"{0:016x}": [(10.1, 20.0, 0.9)]})
    assert ask(place, "again.json") == 64
    assert "1 the same" in capsys.readouterr().err


def test_nobody_is_asked_about_the_ends_to_which_people_moved_a_segment(
    make_job: Any, place: Path, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    """A network that has learned from these ends proposes them, and they would be a second label of one action."""
    results(place / "first.json", {f"{0:016x}": [(10.0, 16.0, 0.9)]})
    assert ask(place, "first.json") == 0
    for person in ("ann", "bob"):
        for row in lease_segments(ledger, person):
            cast_segment(ledger, person, row["segment_id"], "moved", (12.0, 24.0))
    collect(make_job)
    results(place / "second.json", {f"{0:016x}": [(12.5, 24.0, 0.9)]})
    assert ask(place, "second.json") == 64
    assert "segment 1: overlaps 12 to 24, which is asked, by 0.96" in capsys.readouterr().err


def test_of_two_files_that_are_asked_at_once_one_goes_on(
    place: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both had known of no segment that was asked, and people had met the same ones twice."""
    results(place / "again.json", {f"{0:016x}": [(10.1, 20.0, 0.9)]})
    codes = []

    def askable(*given: Any) -> Any:
        if not codes:
            codes.append(0)
            codes.append(ask(place, "again.json"))
        return segments_of(*given)

    segments_of = segments.askable
    monkeypatch.setattr(segments, "askable", askable)
    assert ask(place) == 0
    assert codes == [0, 75]
    assert len(states(ledger)) == 6
    assert ask(place, "again.json") == 64


@pytest.mark.parametrize(("flag", "first"), [("--score-least", "0.65"), ("--video-most", "1")])
def test_more_of_a_file_is_asked_under_another_name_and_never_in_silence(
    flag: str, first: str, place: Path, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = {video: [(10.0, 20.0, 0.9), (40.0, 50.0, 0.6)] for video in [f"{0:016x}"]}
    results(place / "two.json", lines)
    assert ask(place, "two.json", flag, first) == 0
    assert len(states(ledger)) == 1
    assert ask(place, "two.json", flag, first) == 0
    assert ask(place, "two.json") == 64
    assert f"{flag} " in (said := capsys.readouterr().err)
    assert f"of the same file was asked with {first}, want that, or another name for --as" in said
    assert ask(place, "two.json", origin="more") == 0
    assert len(states(ledger)) == 2


def test_of_a_retired_category_nobody_is_asked_and_what_is_in_hands_is_still_taken(place: Path, ledger: Ledger) -> None:
    assert ask(place) == 0
    ledger.run("ensure_annotator", annotator="bob")
    (lapsed,) = lease_segments(ledger, "ann", most=1)
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE segment_leases SET expires_at = now() - interval '1 s'")
    ledger.run("expire_segment_leases")
    asked = {"annotator": "ann", "category": "high_jump", "lease_sec": 60.0}
    (held,) = ledger.rows("lease_segments", **asked, segments_most=1, gold_most=0)

    def listed(person: str) -> list[str]:
        return [row["category"] for row in ledger.rows("web_segment_categories", annotator=person)]

    ledger.run("retire_category", category="high_jump")
    assert [one["segment_id"] for one in lease_segments(ledger, "ann")] == [held["segment_id"]]
    assert lease_segments(ledger, "bob") == []
    assert listed("bob") == []
    found = ledger.one("web_segment_category", annotator="bob", category="high_jump", count_most=1000)
    assert found is not None
    assert found["remaining"] == 0
    assert all(cast_segment(ledger, "ann", one["segment_id"], "right") for one in (held, lapsed))
    ledger.run("unretire_category", category="high_jump")
    assert (listed("bob"), len(lease_segments(ledger, "bob"))) == (["high_jump"], 6)


def test_videos_that_were_withdrawn_are_never_asked(place: Path, ledger: Ledger) -> None:
    ledger.run("add_tombstone", video_id=f"{0:016x}", reason="takedown")
    assert ask(place) == 0
    assert len(states(ledger)) == 5
    handed = lease_segments(ledger, "ann", most=2)
    ledger.run("add_tombstone", video_id=f"{1:016x}", reason="takedown")
    left = lease_segments(ledger, "ann")
    assert len(left) == 4
    (gone,) = {row["segment_id"] for row in handed} - {row["segment_id"] for row in left}
    assert cast_segment(ledger, "ann", gone, "right") is None
    assert ledger.one("web_segment", annotator="ann", segment_id=gone) is None


def test_a_segment_is_in_as_many_hands_as_it_wants_answers_and_comes_back(place: Path, ledger: Ledger) -> None:
    ask(place)
    first = lease_segments(ledger, "ann")
    assert [row["segment_id"] for row in lease_segments(ledger, "bob")] == [row["segment_id"] for row in first]
    assert lease_segments(ledger, "cec") == []
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE segment_leases SET expires_at = now() - interval '1 second' WHERE annotator = 'ann'")
    assert len(lease_segments(ledger, "cec")) == 6
    # A late answer is taken from whoever held it.
    assert cast_segment(ledger, "ann", first[0]["segment_id"], "right")
    assert cast_segment(ledger, "ann", first[0]["segment_id"], "absent") is None
    assert sorted(taken for taken, _, _ in states(ledger)) == [2, 2, 2, 2, 2, 3]
    # What lapsed comes back to the person who held it.
    assert len(lease_segments(ledger, "ann")) == 5


def test_a_segment_is_answered_by_reviewers_and_a_correction_is_of_ones_own_answer_to_it(
    place: Path, ledger: Ledger
) -> None:
    ask(place)
    one, two, three, *_ = (row["segment_id"] for row in lease_segments(ledger, "ann"))
    lease_segments(ledger, "bob")
    first = cast_segment(ledger, "ann", one, "right")
    assert cast_segment(ledger, "ann", two, "absent", supersedes=first) is None, "it was about another segment"
    assert cast_segment(ledger, "bob", one, "absent", supersedes=first) is None, "it was somebody else's"
    assert cast_segment(ledger, "ann", one, "absent", supersedes=first)
    ledger.run("assign_category", category="high_jump", reviewers="club")
    assert cast_segment(ledger, "bob", two, "right") is None, "the category is the club's now"
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE annotators SET groups = '{club}' WHERE annotator = 'bob'")
        cursor.execute("UPDATE segment_leases SET expires_at = now() - interval '1 second'")
    ledger.run("expire_segment_leases")

    def again(person: str, category: str = "high_jump") -> int:
        asked = {"annotator": person, "category": category, "lease_sec": 60.0, "segments_most": 9}
        return len(ledger.rows("lease_segments_again", **asked))

    assert [again("ann"), again("bob", "judo"), again("bob"), again("bob")] == [0, 0, 6, 0]
    assert cast_segment(ledger, "bob", two, "right")
    assert sorted(taken for taken, _, _ in states(ledger)) == [1, 1, 1, 1, 1, 2]
    ledger.run("close_account", annotator="bob")
    assert cast_segment(ledger, "bob", three, "right") is None


def test_votes_become_dense_labels_with_agreement_and_gold_measures_people(
    make_job: Any, place: Path, store: FolderStore, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(place)
    segments = [row["segment_id"] for row in ledger.rows("asked_segments")]
    by_video = {row["video_id"][-1]: row["segment_id"] for row in ledger.rows("asked_segments")}
    gold = by_video["5"]
    assert cli.main(["segments", "gold", "--segment", gold, "--start", "12", "--end", "20", "--person", "mara"]) == 0
    assert cli.main(["segments", "gold", "--segment", gold, "--start", "30", "--end", "20", "--person", "mara"]) == 64
    assert cli.main(["segments", "gold", "--segment", gold, "--start", "3", "--end", "99", "--person", "mara"]) == 64
    for person in ("ann", "bob"):
        assert sorted(row["segment_id"] for row in lease_segments(ledger, person, most=6, gold=1)) == sorted(segments)
    said = {
        "0": ("right", "right"), "1": ("right", (12.0, 20.0)), "2": ("absent", "absent"), "3": ("right", "absent"),
        "4": ("right", (40.0, 45.0)), "5": ((12.0, 20.0), "absent"),
    }  # fmt: skip
    for video, answers in said.items():
        for person, answer in zip(("ann", "bob"), answers, strict=True):
            given = ("moved", answer) if isinstance(answer, tuple) else (answer,)
            assert cast_segment(ledger, person, by_video[video], *given)
    collect(make_job)
    datasets = Datasets(store)
    assert datasets.need(SEGMENT_VOTES, batch="000001").rows == 12
    labels = {row.video_id[-1]: row for row in datasets.rows(SEGMENT_LABELS, batch="000001")}
    assert {video: (row.status, row.present, row.label_start_sec) for video, row in labels.items()} == {
        "0": ("settled", True, 10.0), "1": ("settled", True, 11.0), "2": ("settled", False, None),
        "3": ("open", None, None), "4": ("open", None, None), "5": ("open", None, None),
    }  # fmt: skip
    assert labels["1"].tiou == pytest.approx(0.8)
    assert states(ledger) == [(2, 2, "finished")] * 3 + [(2, 3, "open")] * 3
    people = {(row.annotator, row.category): row for row in datasets.rows(SEGMENT_PEOPLE, batch="000001")}
    assert (people["ann", None].gold, people["ann", None].gold_right) == (1, 1)
    assert (people["bob", None].gold, people["bob", None].gold_right) == (1, 0)

    # A third person settles what two differ on; a correction supersedes; the same again is finished already.
    collect(make_job)
    assert datasets.partitions(SEGMENT_LABELS) == [{"batch": "000001"}]
    assert {row["segment_id"] for row in lease_segments(ledger, "cec")} == {by_video["3"], by_video["4"]}
    cast_segment(ledger, "cec", by_video["3"], "right")
    (first,) = [row for row in datasets.rows(SEGMENT_VOTES, batch="000001") if row.answer == "absent"
                and (row.segment_id, row.annotator) == (by_video["2"], "bob")]  # fmt: skip
    cast_segment(ledger, "bob", by_video["2"], "unsure", supersedes=first.vote_id)
    collect(make_job)
    later = {row.video_id[-1]: row for row in datasets.rows(SEGMENT_LABELS, batch="000002")}
    assert (later["3"].status, later["3"].present) == ("settled", True)
    assert (later["2"].status, later["2"].absent, later["2"].unsure) == ("open", 1, 1)


def test_gold_comes_among_other_segments_and_never_alone(place: Path, ledger: Ledger) -> None:
    ask(place)
    gold = ledger.rows("asked_segments")[0]["segment_id"]
    ledger.rows("add_gold_segment", segment_id=gold, start_sec=None, end_sec=None, person="mara")
    assert gold not in {row["segment_id"] for row in lease_segments(ledger, "ann", most=3)}
    assert gold in {row["segment_id"] for row in lease_segments(ledger, "bob", most=3, gold=1)}
    for person in ("ann", "bob"):
        ledger.run("return_segments", annotator=person)
    for person in ("cec", "dan"):
        for row in lease_segments(ledger, person, most=6, gold=0):
            cast_segment(ledger, person, row["segment_id"], "right")
    assert [row for row in lease_segments(ledger, "eve", most=6, gold=1) if row["segment_id"] == gold] == []


def test_the_plan_hands_on_votes_about_segments(
    make_job: Any, place: Path, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(place)
    capsys.readouterr()
    assert cli.main(["plan", "--for", "sync_verifications"]) == 0
    assert '"votes"' not in capsys.readouterr().out
    cast_segment(ledger, "ann", lease_segments(ledger, "ann", most=1)[0]["segment_id"], "right")
    assert cli.main(["plan", "--for", "sync_verifications"]) == 0
    assert '{"votes": 1}' in capsys.readouterr().out
    sync.run(make_job("sync"))
    assert cli.main(["plan", "--for", "sync_verifications"]) == 0
    assert '{"segments": "000001"}' in capsys.readouterr().out
    aggregate.run(make_job("aggregate"))
    assert cli.main(["plan", "--for", "sync_verifications"]) == 0
    assert '"segments"' not in capsys.readouterr().out


def test_a_person_is_forgotten_in_votes_about_segments_too(
    make_job: Any, place: Path, store: FolderStore, ledger: Ledger
) -> None:
    ask(place)
    for row in lease_segments(ledger, "zelda quux", most=2)[:1]:
        cast_segment(ledger, "zelda quux", row["segment_id"], "right")
        ledger.rows("add_gold_segment", segment_id=row["segment_id"], start_sec=1, end_sec=2, person="zelda quux")
    collect(make_job)
    datasets = Datasets(store)
    done = forget(datasets, ledger, "zelda quux")
    assert (done.votes, done.words, done.generations) == (1, 1, 2)
    assert {row.annotator for row in datasets.rows(SEGMENT_PEOPLE, batch="000001")} == {done.pseudonym}
    assert {row.annotator for row in datasets.rows(SEGMENT_VOTES, batch="000001")} == {done.pseudonym}
    assert sum(taken for taken, _, _ in states(ledger)) == 1


@pytest.mark.parametrize("where", ["store", "ledger"])
def test_gold_that_is_dropped_is_gone_though_the_call_was_cut_off(
    place: Path, store: FolderStore, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    ask(place)
    segment = ledger.rows("asked_segments")[0]["segment_id"]
    drop = ["segments", "gold", "--segment", segment, "--drop"]
    assert cli.main(["segments", "gold", "--segment", segment, "--absent", "--person", "mara"]) == 0
    rows = Ledger.rows

    def cut_off(*_: object, **__: object) -> Any:
        raise Temporary("cut off")

    with monkeypatch.context() as cut:
        if where == "store":
            cut.setattr(FolderStore, "delete", cut_off)
        else:
            cut.setattr(
                Ledger, "rows", lambda self, name, **of: (cut_off if "drop" in name else rows)(self, name, **of)
            )
        assert cli.main(drop) == 75
    assert cli.main(drop) == 0
    list(repair(Datasets(store), ledger, Review()))
    assert ledger.rows("gold_segments") == []
    assert cli.main(drop) == 64


def test_of_two_who_say_what_is_known_of_a_segment_at_once_one_goes_on(
    place: Path, store: FolderStore, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gold that was dropped meanwhile stayed in the store, and a repair brought it back."""
    ask(place)
    gold = ["segments", "gold", "--segment", ledger.rows("asked_segments")[0]["segment_id"]]
    codes = []

    def put(*known: Any) -> None:
        codes.append(cli.main([*gold, "--drop"]))
        write(*known)

    write = gold_segments.put
    monkeypatch.setattr(gold_segments, "put", put)
    assert cli.main([*gold, "--absent", "--person", "mara"]) == 0
    assert codes == [75]
    assert len(ledger.rows("gold_segments")) == len(list(gold_segments.stored(store))) == 1
    assert cli.main([*gold, "--drop"]) == 0
    list(repair(Datasets(store), ledger, Review()))
    assert ledger.rows("gold_segments") == list(gold_segments.stored(store)) == []


def test_a_ledger_that_was_lost_gets_its_segments_and_their_votes_back(
    make_job: Any, place: Path, store: FolderStore, ledger: Ledger
) -> None:
    ask(place)
    for person in ("ann", "bob"):
        for row in lease_segments(ledger, person, most=3):
            cast_segment(ledger, person, row["segment_id"], "moved", (11.0, 19.0))
    collect(make_job)
    known, gone, older = (row["segment_id"] for row in ledger.rows("asked_segments")[:3])
    said = ["--start", "12", "--end", "20", "--person", "mara"]
    for segment in (known, gone):
        assert cli.main(["segments", "gold", "--segment", segment, *said]) == 0
    assert cli.main(["segments", "gold", "--segment", gone, "--drop"]) == 0
    before = states(ledger)
    # One that was known before the store was told.
    ledger.rows("add_gold_segment", segment_id=older, start_sec=None, end_sec=None, person="mara")
    list(repair(Datasets(store), ledger, Review()))
    gold = ledger.rows("gold_segments")
    assert {row["segment_id"]: row["end_sec"] for row in gold} == {known: 20, older: None}
    with ledger._connection.cursor() as cursor:
        cursor.execute("TRUNCATE segments, segment_batches CASCADE")
    list(repair(Datasets(store), ledger, Review()))
    assert ledger.rows("gold_segments") == gold
    assert not any(b"mara" in store.get(name) for name in store.names("gold_segments/"))
    assert [taken for taken, _, _ in states(ledger)] == [taken for taken, _, _ in before]
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT count(*), min(start_sec), max(end_sec) FROM segment_votes")
        assert cursor.fetchone() == (6, 11.0, 19.0)
    collect(make_job)
    assert Datasets(store).partitions(SEGMENT_VOTES) == [{"batch": "000001"}]
    # The store has lost the segments too.
    datasets = Datasets(store)
    for keys in datasets.partitions(SEGMENTS):
        left = [row for row in datasets.rows(SEGMENTS, **keys) if row.segment_id in (known, older)]
        datasets.write(SEGMENTS, [SEGMENTS.table(left)], keys=keys, stage="test", settings={}, made_from={})
    with ledger._connection.cursor() as cursor:
        cursor.execute("TRUNCATE segments, segment_batches CASCADE")
    lines = list(repair(datasets, ledger, Review()))
    assert any("votes about segments that the store holds no more: lost" in line for line in lines)


def test_dense_labels_join_the_release_and_withdrawn_videos_leave_them(
    make_job: Any, place: Path, store: FolderStore, ledger: Ledger
) -> None:
    gate = {"quality": Quality(min_labels=1, min_positive_share=0.0, max_positive_share=1.0, min_precision=0.0)}
    ask(place)
    publish.run(make_job("publish", categories=("high_jump",), round=ROUND))
    for person in ("ann", "bob", "cec"):
        for clip in lease(ledger, person):
            cast(ledger, person, clip["clip_id"], "yes")
    for person in ("ann", "bob"):
        for row in lease_segments(ledger, person):
            cast_segment(ledger, person, row["segment_id"], "moved", (11.0, 19.5))
    collect(make_job)
    validate.run(make_job("validate", settings=gate))
    ledger.run("add_tombstone", video_id=f"{5:016x}", reason="takedown")
    release.run(make_job("release", release="r0001"))
    datasets = Datasets(store)
    rows = datasets.rows(RELEASED_SEGMENTS, release="r0001")
    assert [(row.video_id[-1], row.label, row.start_sec, row.end_sec, row.tiou) for row in rows] == [
        (str(number), 1, 11.0, 19.5, 1.0) for number in range(5)
    ]
    assert rows[0].name == "a2X2hz1G6i8"
    version, manifest = need_release(datasets, "r0001")
    assert "exports/segments.json" in version.files
    with store.local(f"{manifest.folder}/exports/segments.json") as path:
        found = read([path])
    assert [(one.video, one.label, one.start_sec, one.end_sec) for one in found.labels] == [
        (row.name, "High jump", 11.0, 19.5) for row in sorted(rows, key=lambda row: row.name)
    ]
    sheet = store.get(f"{manifest.folder}/README.md").decode()
    assert "| High jump | 5 | 42.5 | 0 | 1.00 |" in sheet
    assert cli.main(["release", "verify", "r0001", "--decode", "0"]) == 0


def test_old_labels_of_segments_are_garbage_unless_a_release_was_made_from_them(
    make_job: Any, place: Path, store: FolderStore, ledger: Ledger
) -> None:
    ask(place)
    datasets = Datasets(store)
    for number, person in enumerate(("ann", "bob", "cec")):
        (row, *_) = lease_segments(ledger, person, most=1)
        cast_segment(ledger, person, row["segment_id"], "absent")
        collect(make_job)
        if number == 1:
            named = datasets.need(SEGMENT_LABELS, batch="000002")
            datasets.write(
                RELEASED_SEGMENTS, [RELEASED_SEGMENTS.table([])], keys={"release": "r0001"}, stage="release",
                settings={}, made_from={named.address: named.mark},
            )  # fmt: skip
    later = datetime.now(UTC) + timedelta(days=1)
    for one in list(garbage.find(datasets, ledger, later)):
        garbage.delete(datasets, ledger, one, later)
    assert [keys["batch"] for keys in datasets.partitions(SEGMENT_LABELS)] == ["000002", "000003"]
    assert [keys["batch"] for keys in datasets.partitions(SEGMENT_PEOPLE)] == ["000003"]
    assert len(datasets.partitions(SEGMENT_VOTES)) == 3
    assert datasets.rows(SEGMENT_LABELS, batch="000003")
