"""Every statement in sql/queries is accepted by the server, described, and one statement."""

import re
from contextlib import closing

import psycopg2
import pytest

from slac_tasks.errors import NotConfigured
from slac_tasks.storage.ledger import _MIGRATE_LOCK, SQL, Ledger, migrations, open_ledger, query

NAMES = sorted(path.stem for path in (SQL / "queries").glob("*.sql"))


@pytest.mark.parametrize("name", NAMES)
def test_the_server_accepts_the_statement(name: str, template: str) -> None:
    statement = query(name)
    assert statement.startswith("-- "), "the first line describes the statement"
    parameters = dict.fromkeys(re.findall(r"%\((\w+)\)s", statement))
    for parameter in parameters:
        assert re.search(rf"%\({parameter}\)s::\w+", statement), f"{parameter} has no cast"
    with closing(psycopg2.connect(template)) as connection, connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + statement, parameters)
        assert cursor.fetchall()


def test_a_column_that_a_later_migration_adds_changes_no_answer(ledger: Ledger) -> None:
    def answers(names: list[str]) -> dict[str, object]:
        """Return the types of the columns of each statement's answer; None: it answers nothing."""
        found = {}
        with ledger._connection.cursor() as cursor:
            for name in names:
                parameters = dict.fromkeys(re.findall(r"%\((\w+)\)s", query(name)))
                cursor.execute("PREPARE asked AS " + query(name), parameters)
                cursor.execute("SELECT result_types::text[] FROM pg_prepared_statements WHERE name = 'asked'")
                (found[name],) = cursor.fetchone() or ()
                cursor.execute("DEALLOCATE asked")
        return found

    before = answers(NAMES)
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'ALTER TABLE "{table}" ADD COLUMN of_a_later_release integer')
    # Pages of the release before go on meanwhile.
    assert answers(NAMES) == before


def test_no_two_advisory_locks_share_a_number() -> None:
    numbers = {"migrate": _MIGRATE_LOCK}
    for name in NAMES:
        for number in re.findall(r"pg_(?:try_)?advisory_(?:xact_)?lock\w*\(\s*(\w+)", query(name)):
            numbers[name] = int(number)
    assert {"lock_admission", "lock_batches"} < set(numbers)
    assert len(set(numbers.values())) == len(numbers), numbers


def test_a_migration_that_was_skipped_is_applied(
    ledger: Ledger, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = migrations()
    skipped = (2, "CREATE TABLE skipped (number integer);")
    monkeypatch.setattr("slac_tasks.storage.ledger.migrations", lambda: sorted([*known, skipped]))
    with pytest.raises(NotConfigured, match=f"with {len(known)} migrations, want {known[-1][0]} with {len(known) + 1}"):
        open_ledger({"SLAC_DATABASE_URL": ledger_url})
    assert ledger.migrate() == [2]
    assert ledger.migrate() == []
    open_ledger({"SLAC_DATABASE_URL": ledger_url}).close()
