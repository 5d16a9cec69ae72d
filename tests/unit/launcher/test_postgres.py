"""The embedded Postgres: starts, remembers, survives."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from slac_tasks.errors import NotConfigured, Temporary
from slac_tasks.launcher.postgres import EmbeddedPostgres


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    postgres = EmbeddedPostgres(tmp_path_factory.mktemp("postgres") / "cluster", fsync=False)
    postgres.start()
    yield postgres
    postgres.remove()


def ask(url: str, statement: str) -> object:
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()[0] if cursor.description else None
    finally:
        connection.close()


def test_url_makes_a_database_once(server: EmbeddedPostgres) -> None:
    assert server.url("fresh") == server.url("fresh")
    assert ask(server.url("fresh"), "SELECT current_database()") == "fresh"


def test_start_again_is_a_no_op(server: EmbeddedPostgres) -> None:
    before = server.url("twice")
    EmbeddedPostgres(server.folder).start()
    assert server.url("twice") == before


def test_a_password_is_asked_for_and_kept_from_others(server: EmbeddedPostgres) -> None:
    url = server.url("private")
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(url.replace(url.split(":")[2].split("@")[0], "wrong"))
    assert stat.S_IMODE((server.folder / "server.json").stat().st_mode) == 0o600


def test_only_the_random_password_is_checked_in_one_round(server: EmbeddedPostgres) -> None:
    url = server.url("private")
    ask(url, "CREATE ROLE somebody PASSWORD 'swordfish'")
    rounds = "SELECT string_agg(split_part(rolpassword, ':', 1), ' ' ORDER BY rolname DESC) FROM pg_authid"
    assert ask(url, rounds) == "SCRAM-SHA-256$4096 SCRAM-SHA-256$1"


def test_data_survives_a_killed_server(server: EmbeddedPostgres) -> None:
    ask(server.url("kept"), "CREATE TABLE kept AS SELECT 7 AS value")
    server.kill()
    server.start()
    assert ask(server.url("kept"), "SELECT value FROM kept") == 7


def test_a_pid_file_that_names_a_stranger_is_ignored(server: EmbeddedPostgres) -> None:
    server.stop()
    data = Path(json.loads((server.folder / "server.json").read_text())["data"])
    (data / "postmaster.pid").write_text("1\n")
    assert not server.running
    server.start()
    assert server.running


def test_a_stopped_server_has_no_address(server: EmbeddedPostgres) -> None:
    server.stop()
    server.stop()
    with pytest.raises(Temporary, match="does not run"):
        server.url("none")
    server.start()


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    postgres = EmbeddedPostgres(tmp_path / 'my $HOME\'s `lab` "\u00fc"' / "cluster", fsync=False)
    with postgres:
        assert ask(postgres.url("any"), "SELECT 1") == 1
        home = Path(json.loads((postgres.folder / "server.json").read_text())["home"])
    postgres.remove()
    assert not home.exists()


def test_a_user_without_a_name_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 2**31 - 77)
    with pytest.raises(NotConfigured, match="user 2147483571 has no entry in /etc/passwd"):
        EmbeddedPostgres(tmp_path)
