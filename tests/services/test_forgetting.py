"""A person is forgotten: the votes stay under a pseudonym, and neither ledger nor store shows the name any more."""

import re
import threading
import uuid
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pyarrow.parquet as pq
import pytest
from cut_store import CutStore
from hypothesis import given
from hypothesis import strategies as st
from review_work import ROUND, cast, lease, publish_and_answer
from strangers import ask
from waiting import until_blocked

from slac_tasks import cli
from slac_tasks.config import Config
from slac_tasks.errors import Temporary
from slac_tasks.forgetting import HOLDERS, forget, handles_names, in_text, names_held
from slac_tasks.procedure import STAGES
from slac_tasks.quality.settings import Quality
from slac_tasks.release.finished import need_release
from slac_tasks.stages import aggregate, inspect, release, report, sync, validate
from slac_tasks.storage.datasets import CROWD, EXPECTATIONS, PEOPLE, VOTES
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.store import Store
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.rulings import restore, retire, settle
from slac_tasks.verification.settings import Aggregation
from slac_tasks.verification.versions import read_labels
from slac_tasks.web.accounts import COOKIE, Account, Accounts
from slac_tasks.web.app import make_app
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.media import Media
from slac_tasks.web.passwords import seal
from slac_tasks.web.sessions import LedgerSessions, Session

NAME = "zelda.quux@example.org"
SETTINGS = {
    "quality": Quality(min_labels=1, min_positive_share=0.0, max_positive_share=1.0, min_precision=0.0),
    "aggregation": Aggregation(method="dawid_skene"),
}


def run(make_job: Any, *stages: Any, **fields: Any) -> None:
    for stage in stages:
        stage.run(make_job(stage.__name__.rpartition(".")[2], settings=SETTINGS, **fields))


def in_store(store: Store, name: str) -> list[str]:
    """Return the objects that show a name."""
    found = []
    for each in store.names(""):
        with store.local(each) as path:
            text = str(pq.read_table(path).to_pylist()) if each.endswith(".parquet") else path.read_text("latin-1")
        if name in text:
            found.append(each)
    return found


def in_ledger(ledger: Ledger, name: str) -> list[str]:
    """Return the tables with a row that shows a name."""
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        tables = [row[0] for row in cursor.fetchall()]
        found = []
        for table in tables:
            cursor.execute(f'SELECT count(*) FROM "{table}" AS t WHERE strpos(t::text, %s) > 0', (name,))
            found += [table] * (cursor.fetchone()[0] > 0)
    return sorted(found)


@pytest.fixture
def platform(make_job: Any, ledger: Ledger) -> Datasets:
    """Labels, verdicts, docs, a report and a release of what two people said; one of them said more than votes."""
    clips = publish_and_answer(make_job, ledger, {}, clips=60)
    for person in (NAME, "bob"):
        lease(ledger, person, most=60)
        for place, clip in enumerate(clips):
            assert cast(ledger, person, clip, ("yes", "no")[place % 2])
    with ledger._connection.cursor() as cursor:
        cursor.execute("INSERT INTO sessions VALUES ('s', %s, now() + interval '1 day')", (NAME,))
        cursor.execute("UPDATE annotators SET password = 'sealed' WHERE annotator = %s", (NAME,))
        cursor.execute("UPDATE queue SET votes_wanted = 3, state = 'open' WHERE clip_id = %s", (clips[0],))
        cursor.execute(
            "INSERT INTO leases VALUES (%s, 'high_jump', %s, now() + interval '1 day', NULL)", (clips[1], NAME)
        )
        cursor.execute("UPDATE queue SET taken = taken + 1 WHERE clip_id = %s", (clips[1],))
        cursor.execute("INSERT INTO rejected_votes VALUES ('s', 'i', 'r', %s, now(), now())", (f"{NAME} or another",))
        file = f"/home/{NAME}/votes.csv"
        cursor.execute("INSERT INTO rejected_votes VALUES (%s, 'line 2', 'r', 'none', now(), now())", (file,))
        cursor.execute("INSERT INTO vote_origins SELECT vote_id, %s, 'line 3' FROM votes LIMIT 1", (file,))
        cursor.execute("INSERT INTO feedbacks VALUES (%s, 'high_jump', '2026-01-01', 25)", (NAME,))
    for person in (NAME, "bob"):
        words = {"flag_id": str(uuid.uuid4()), "comment": f"asked {NAME}, who had no idea"}
        assert ledger.one("add_flag", annotator=person, clip_id=clips[0], category="high_jump", **words)
    known = {"clip_id": clips[2], "category": "high_jump", "answer": "no", "purpose": "gold", "person": NAME}
    assert ledger.run("add_known_answer", **known)
    run(make_job, sync, aggregate, validate, inspect, report)
    decision = {"category": "high_jump", "labels": "000001", "decision": "approve", "reason": f"{NAME} looked"}
    ledger.run("add_decision", **decision, person=NAME, covers=[], shortfalls=[])
    # Others give their reasons too.
    settle(ledger, "high_jump", clips[3], answer="no", person="bob", reason=f"unlike {NAME}, I saw no jump")
    with ledger._connection.cursor() as cursor:
        cursor.execute("INSERT INTO told_apart VALUES ('a', 'b', 'bob', %s)", (f"{NAME} says so",))
    run(make_job, release, release="r0001")
    run(make_job, report)
    return make_job("report").datasets


def test_nothing_shows_the_name_of_somebody_who_was_forgotten_and_the_votes_stay(
    make_job: Any, ledger: Ledger, platform: Datasets
) -> None:
    store = platform.store
    before = in_store(store, NAME)
    for dataset in (VOTES, PEOPLE, CROWD, EXPECTATIONS):
        assert any(each.startswith(f"{dataset.name}/") for each in before), dataset.name
    assert any(each.startswith("reports/") for each in before)
    # Releases hold no names of people, so none of them has to change.
    assert not any(each.startswith("release") for each in before)
    released, labels = need_release(platform, "r0001"), read_labels(platform, "000001")

    done = forget(platform, ledger, NAME)
    assert (done.votes, done.words) == (60, 2)
    assert in_store(store, NAME) == in_ledger(ledger, NAME) == []
    assert in_ledger(ledger, done.pseudonym) == [
        "annotator_quality", "annotators", "decisions", "flags", "forgotten", "known_answers", "rejected_votes",
        "rulings", "told_apart", "vote_origins", "votes",
    ]  # fmt: skip
    (account,) = [row for row in ledger.rows("accounts") if row["annotator"] == done.pseudonym]
    assert (account["active"], account["has_login"]) == (False, False)
    votes = platform.read(VOTES, batch="000001")
    assert votes["annotator"].to_pylist().count(done.pseudonym) == 60
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM leases")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT max(taken) FROM queue")
        assert cursor.fetchone() == (2,)
    assert need_release(platform, "r0001") == released
    assert read_labels(platform, "000001").equals(labels)

    # The loop goes on: the next version builds on one that was judged under the name.
    assert forget(platform, ledger, NAME).nothing
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE queue SET votes_wanted = 4, state = 'open'")
    (clip, *_) = lease(ledger, "cid")
    cast(ledger, "cid", clip["clip_id"], "yes")
    run(make_job, sync, aggregate, validate, inspect, report)
    assert in_store(store, NAME) == in_ledger(ledger, NAME) == []
    assert in_store(store, done.pseudonym)


def test_a_count_of_votes_goes_on_after_somebody_was_forgotten(make_job: Any, ledger: Ledger) -> None:
    publish_and_answer(make_job, ledger, {NAME: "yes", "bob": "yes"})
    datasets = make_job("sync").datasets

    def answered(person: str, *stages: Any) -> None:
        with ledger._connection.cursor() as cursor:
            cursor.execute("UPDATE queue SET votes_wanted = votes_wanted + 1, state = 'open'")
        (clip, *_) = lease(ledger, person)
        cast(ledger, person, clip["clip_id"], "yes")
        for stage in stages:
            stage.run(make_job(stage.__name__.rpartition(".")[2]))

    answered("cid", sync, aggregate, validate)
    answered("dan", sync, aggregate)
    # The second version was made from what the first one said of people; the third one asks for that again.
    for cut in range(100):
        try:
            assert forget(Datasets(Cut(Path(datasets.store.url), cut)), ledger, NAME).generations
            break
        except Temporary:
            answered(f"eva{cut}", sync, aggregate)
    answered("eva", sync, aggregate)
    assert cut > 3
    assert read_labels(datasets, f"{cut + 3:06}").num_rows == 12


def test_what_was_rejected_of_others_stays_though_their_name_or_a_word_holds_the_name(
    make_job: Any, ledger: Ledger
) -> None:
    # What a letter is does not depend on the database's locale.
    others = ["annual: no such clip", "joanna has answered", "ann.lee and ann@example.org", "max-ann", "Jo.ann answers",
              "annéx", "Éann"]  # fmt: skip
    own = ["ann answers no more", "'ann' and 'Ann'", "said by ann.", "(ann)", "ann", "“ann”", "ann…"]
    with ledger._connection.cursor() as cursor:
        for place, detail in enumerate(others + own):
            cursor.execute(
                "INSERT INTO rejected_votes VALUES ('s', %s, 'r', %s, now(), now())", (f"{place:02}", detail)
            )
    forget(make_job("report").datasets, ledger, "ann")
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT detail FROM rejected_votes ORDER BY item")
        assert [row[0] for row in cursor.fetchall()] == others


@given(name=st.text(st.sampled_from("an.+*[\\"), min_size=1), around=st.sampled_from(["({})", "{}", "“{}”", "by {}."]))
def test_any_name_is_found_where_it_stands_alone(name: str, around: str) -> None:
    assert re.search(in_text(name), around.format(name))
    for longer in (f"x{name}", f"{name}é", f"{name}_", f"@{name}"):
        assert not re.search(in_text(name), longer)


class Cut(CutStore):
    """A store that loses its power at deletions too."""

    def delete(self, name: str) -> None:
        self.spend()
        super().delete(name)


def test_a_call_that_is_cut_off_anywhere_is_finished_by_the_next_ones(ledger: Ledger, platform: Datasets) -> None:
    pseudonyms = set()
    for cut in range(100):
        try:
            done = forget(Datasets(Cut(Path(platform.store.url), cut)), ledger, NAME)
            break
        except Temporary:
            (row,) = ledger.rows("pseudonym_of", name=NAME)
            pseudonyms.add(row["pseudonym"])
    assert cut > 5
    assert pseudonyms == {done.pseudonym}
    assert in_store(platform.store, NAME) == in_ledger(ledger, NAME) == []
    assert platform.read(VOTES, batch="000001")["annotator"].to_pylist().count(done.pseudonym) == 60
    known = {(row["address"], row["generation"]) for row in ledger.rows("recorded_datasets")}
    for dataset, _ in HOLDERS:
        for keys, numbers in platform.generations(dataset):
            assert {(dataset.address(keys), number) for number in numbers} <= known


def test_the_command_says_the_pseudonym_and_a_name_that_nobody_has_leaves_nothing(
    ledger: Ledger,
    platform: Datasets,
    ledger_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    environ = {"SLAC_STORE": platform.store.url, "SLAC_DATABASE_URL": ledger_url, "SLAC_CONFIG": ""}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert cli.main(["annotator", "forget", "nobody"]) == 0
    assert "nothing holds that name" in capsys.readouterr().out
    # To many places the empty name is a part of every text, and a table as a whole has no subject.
    for blank in ("", " ", "\u200b", "label-studio:"):
        assert cli.main(["annotator", "forget", blank]) == 64
    assert "is blank, want a name" in capsys.readouterr().err
    assert in_ledger(ledger, "forgotten-") == []
    assert cli.main(["annotator", "forget", f" {NAME}\u200b"]) == 0
    said = capsys.readouterr().out
    assert "is forgotten-" in said
    assert NAME not in said


def test_no_stage_handles_names_while_somebody_is_forgotten_and_nobody_is_while_one_does(
    ledger: Ledger, platform: Datasets, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stage that had read the name would write it again after it was looked for, and fail on it from then on."""
    environ = {"SLAC_STORE": platform.store.url, "SLAC_DATABASE_URL": ledger_url, "SLAC_CONFIG": ""}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    of_names = [stage.name for stage in STAGES.values() if handles_names(stage)]
    assert {"sync", "aggregate", "validate", "inspect", "report"} < set(of_names)
    other = Ledger(ledger_url)
    with names_held(ledger), names_held(other):
        assert cli.main(["annotator", "forget", NAME]) == 75
    assert "votes" in in_ledger(ledger, NAME)
    with names_held(ledger, alone=True):
        assert {cli.main([name]) for name in of_names} == {75}
        assert cli.main(["publish", "--category", "high_jump", "--round", ROUND]) == 0
    other.close()
    assert cli.main(["annotator", "forget", NAME]) == 0
    assert cli.main(["sync"]) == 0


@pytest.mark.parametrize("page", ["/api/me", "/api/begin", "/api/segments/me"])
def test_a_page_that_asks_while_its_person_is_forgotten_does_not_make_the_person_known_again(
    ledger: Ledger, platform: Datasets, ledger_url: str, page: str
) -> None:
    account = Account(name=NAME, password="sealed", role="reviewer")
    ledgers = Ledgers(lambda: Ledger(ledger_url))

    class Sessions(LedgerSessions):
        def is_open(self, session: Session) -> bool:
            found = super().is_open(session)
            forget(platform, ledger, NAME)
            return found

    accounts = Accounts(find={NAME: account}.get, secret=b"s" * 32, sessions=Sessions(ledgers))
    app = make_app(
        Config(store_url=platform.store.url), ledgers, Media(store=platform.store, secret=b"key"),
        authenticate=accounts.authenticate, accounts=accounts,
    )  # fmt: skip
    cookie = (b"cookie", f"{COOKIE}={accounts.session(account)}".encode())
    assert ask(app, "GET", page.encode(), headers=[cookie]).status == 200
    assert in_ledger(ledger, NAME) == []
    ledgers.close()


def test_who_is_forgotten_while_logging_in_is_not_logged_in(
    ledger: Ledger, platform: Datasets, ledger_url: str
) -> None:
    ledgers = Ledgers(lambda: Ledger(ledger_url))

    def find(name: str) -> Account | None:
        row = ledger.one("web_account", annotator=name)
        forget(platform, ledger, name)
        return Account(name=name, password=seal("long enough"), role="reviewer") if row else None

    accounts = Accounts(find=find, secret=b"s" * 32, sessions=LedgerSessions(ledgers))
    cookie = accounts.login(NAME, "long enough")
    assert accounts.person(cookie) is None
    assert in_ledger(ledger, NAME) == []
    ledgers.close()


def forms(clip: str) -> list[dict[str, str]]:
    """What a lead may say of a clip and of others' answers, each a change."""
    about = {"category": "high_jump", "clip_id": clip, "reason": "looked again"}
    return [
        {**about, "say": "settle", "answer": "no"},
        {**about, "say": "return"},
        {**about, "say": "gold", "answer": "yes"},
        {"category": "high_jump", "say": "ask again", "annotator": "bob", "day": str(datetime.now(UTC).date()),
         "reason": "asleep"},
        {"category": "high_jump", "say": "reject", "labels": "000001", "reason": "too few"},
        {"category": "high_jump", "say": "retire", "reason": "enough"},
    ]  # fmt: skip


def test_a_word_of_a_lead_who_is_forgotten_while_the_request_is_under_way_is_not_written(
    ledger: Ledger, platform: Datasets, ledger_url: str
) -> None:
    """Nobody would look for the name again: it had stood in rulings, decisions and known answers for good."""
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT clip_id FROM queue ORDER BY clip_id DESC LIMIT 1")
        ((clip,),) = cursor.fetchall()
        cursor.execute("UPDATE annotators SET role = 'lead'")
        cursor.execute("UPDATE verdicts SET verdict = 'refused'")
    ledgers = Ledgers(lambda: Ledger(ledger_url))
    account = Account(name=NAME, password="sealed", role="lead")

    class Sessions(LedgerSessions):
        def is_open(self, session: Session) -> bool:
            forget(platform, ledger, NAME)
            return True

    accounts = Accounts(find={NAME: account}.get, secret=b"s" * 32, sessions=Sessions(ledgers))
    app = make_app(
        Config(store_url=platform.store.url), ledgers, Media(store=platform.store, secret=b"key"),
        authenticate=accounts.authenticate, oversee=accounts.oversee, accounts=accounts,
    )  # fmt: skip
    cookie = (b"cookie", f"{COOKIE}={accounts.session(account)}".encode())
    for form in forms(clip):
        said = [urlencode(form).encode()]
        assert ask(app, "POST", b"/desk", headers=[cookie], body=said).status == 401, form
    assert in_ledger(ledger, NAME) == []
    ledgers.close()


def test_a_word_that_is_being_written_is_there_before_its_person_is_forgotten(
    ledger: Ledger, platform: Datasets, ledger_url: str
) -> None:
    found: list[Any] = []
    with closing(Ledger(ledger_url)) as other:
        forgetting = threading.Thread(target=lambda: found.append(forget(platform, other, NAME)))
        with ledger.transaction():
            retire(ledger, "high_jump", person=NAME, reason="enough")
            forgetting.start()
            until_blocked(ledger, forgetting)
        forgetting.join()
    assert found
    assert in_ledger(ledger, NAME) == []
    ledger.run("begin_forgetting", name="bob", pseudonym="forgotten-0")
    with pytest.raises(Temporary, match="is being forgotten now"):
        restore(ledger, "high_jump", person="bob", reason="not enough")
