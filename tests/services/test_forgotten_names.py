"""Where a name goes from beside the newest datasets: from pages, and from what an older version wrote."""

import html
import json
from datetime import UTC, datetime

from slac_tasks.forgetting import forget
from slac_tasks.storage.datasets import CROWD, VOTES
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Drop
from slac_tasks.storage.store import Store
from slac_tasks.storage.tables import Datasets


def test_pages_that_show_the_name_in_any_spelling_go_and_no_others(store: Store, ledger: Ledger) -> None:
    name = 'ann "o\'neil"'
    pages = {
        "docs/plain.txt": name.encode(),
        "docs/page.html": html.escape(name).encode(),
        "reports/rows.json": json.dumps({"person": name}).encode(),
        "reports/plot.bin": b"\xff" + f" {name} ".encode(),
    }
    for page, data in {**pages, "docs/other.txt": f"jo{name}".encode()}.items():
        store.put(page, data)
    done = forget(Datasets(store), ledger, name)
    assert (done.pages, done.nothing) == (len(pages), False)
    assert list(store.names("")) == ["docs/other.txt"]


def test_a_name_goes_from_a_dataset_of_the_version_before_and_all_else_of_it_stays(
    store: Store, ledger: Ledger
) -> None:
    assert VOTES.upgrade
    older, datasets = VOTES.upgrade.previous, Datasets(store)
    rows = [
        older.row(
            vote_id=name, clip_id="v:0", category="judo", round="r", annotator=name, answer="yes", seconds=1.0,
            guideline_version=1, cast_at=datetime(2026, 1, 5, tzinfo=UTC),
        )
        for name in ("ann", "bob")
    ]  # fmt: skip
    before = datasets.write(
        older, [older.table(rows)], keys={"batch": "000001"}, stage="sync", settings={"review": {"votes": 2}},
        made_from={"hard_clips": "g0001:0"}, drops=[Drop(item="v:1", reason="broken")],
    )  # fmt: skip
    done = forget(datasets, ledger, "ann")
    assert datasets.read(VOTES, batch="000001")["annotator"].to_pylist() == [done.pseudonym, "bob"]
    after = datasets.need(older, batch="000001")
    assert (after.made_by, after.made_from, after.drops) == (before.made_by, before.made_from, before.drops)
    assert [name for name in store.names("votes/") if "/g0001/" in name] == []


def test_who_has_an_account_and_gave_no_answer_is_forgotten_too(store: Store, ledger: Ledger) -> None:
    """It was said that nothing held the name, though the pseudonym is among the accounts from then on."""
    ledger.run("ensure_annotator", annotator="ann")
    done = forget(Datasets(store), ledger, "ann")
    assert not done.nothing
    assert [row["annotator"] for row in ledger.rows("accounts")] == [done.pseudonym]
    assert forget(Datasets(store), ledger, "ann").nothing
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT pseudonym FROM forgotten")
        assert cursor.fetchall() == [(done.pseudonym,)]


def test_what_a_model_learnt_of_a_category_with_the_name_of_a_person_stays(store: Store, ledger: Ledger) -> None:
    kinds = {"person": "judo", "category": "judo", "all": None}
    rows = [CROWD.row(kind=kind, name=name, positive=0.5) for kind, name in kinds.items()]
    datasets, keys = Datasets(store), {"labels": "000001"}
    datasets.write(CROWD, [CROWD.table(rows)], keys=keys, stage="aggregate", settings={}, made_from={})
    done = forget(datasets, ledger, "judo")
    found = {row.kind: row.name for row in datasets.rows(CROWD, **keys)}
    assert found == {**kinds, "person": done.pseudonym}
