"""Connections that many requests share outlive a restart of the database."""

from contextlib import closing

from slac_tasks.storage.ledger import Ledger
from slac_tasks.web.ledgers import Ledgers


def test_no_request_meets_a_connection_that_the_server_ended_while_it_was_idle(ledger_url: str) -> None:
    ledgers = Ledgers(lambda: Ledger(ledger_url))
    with ledgers.borrow() as first, ledgers.borrow() as second:
        pass
    with closing(Ledger(ledger_url)) as server, server._connection.cursor() as cursor:
        # A restart, a bound on idle sessions and an administrator all end sessions like this.
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with ledgers.borrow() as third, ledgers.borrow() as fourth:
        assert {third, fourth}.isdisjoint({first, second})
        assert third.rows("categories") == fourth.rows("categories") == []
    with ledgers.borrow() as again:
        assert again in (third, fourth)  # what the server holds is lent again
    ledgers.close()
