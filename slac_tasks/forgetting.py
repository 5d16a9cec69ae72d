"""Forget a person: a pseudonym takes the place of the name wherever the platform wrote it. The votes stay.

1. The ledger, in one transaction: the person's votes, quality and words as an expert are the pseudonym's; the account,
   its sessions and the clips in its hands are gone.
2. The store: each generation of a dataset that holds the name is written again under the pseudonym, and the one that
   holds it is deleted. Reports and docs that show it are deleted: their next run writes them without it.
3. The ledger forgets which name the pseudonym stood for. What is left is that somebody was forgotten, and when.

A process that is killed in between is run again with the same name: until the last step the ledger knows the pseudonym.
Stages and repairs that read or write names hold them meanwhile (`names_held`): one of them would write the name again
after it was looked for, or read a generation that is deleted. So does what deletes garbage: it would delete the pointer
to what was written again.
"""

import html
import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.errors import NotMade
from slac_tasks.job import Job
from slac_tasks.procedure import STAGES, Stage
from slac_tasks.storage import records
from slac_tasks.storage.datasets import CROWD, EXPECTATIONS, PEOPLE, SEGMENT_PEOPLE, SEGMENT_VOTES, VOTES
from slac_tasks.storage.declarations import Dataset
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.records import Record
from slac_tasks.storage.tables import Datasets

HOLDERS: tuple[tuple[Dataset[Any], str], ...] = (
    (VOTES, "annotator"), (PEOPLE, "annotator"), (CROWD, "name"), (EXPECTATIONS, "subject"),
    (SEGMENT_VOTES, "annotator"), (SEGMENT_PEOPLE, "annotator"),
)  # fmt: skip
"""The datasets in which people have a name, and the column where it stands."""
PAGES = ("reports/", "docs/")
"""Where the store holds pages that show what datasets hold."""


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """What was done."""

    pseudonym: str
    known: bool
    """There was an account of that name, or somebody who had answered under it."""
    votes: int
    """Votes that were renamed by this call."""
    words: int
    """Gold, look-alikes and decisions that were the person's word."""
    generations: int
    """Generations that held the name."""
    pages: int

    @property
    def nothing(self) -> bool:
        """Whether nothing held the name."""
        return not (self.known or self.votes or self.words or self.generations or self.pages)


def handles_names(stage: Stage) -> bool:
    """Return whether a stage reads or writes datasets in which people have a name."""
    return any(dataset.name in (*stage.reads, *stage.writes) for dataset, _ in HOLDERS)


def names_held(ledger: Ledger, *, alone: bool = False) -> AbstractContextManager[None]:
    """Have the names of people stay as they are inside the block; `alone`: nobody else reads or writes them there.

    Raises:
        Temporary: somebody is being forgotten now; `alone`: names are read or written now.

    """
    now = "a stage or a repair uses them now, or garbage is deleted" if alone else "somebody is being forgotten now"
    taken = f"names of people: {now}; nothing was done, run it again"
    return ledger.held("hold_names", "release_names", taken, alone=alone)


def names_kept(job: Job) -> AbstractContextManager[None]:
    """Return what holds the names of people while a stage runs, if it handles any."""
    return names_held(job.ledger) if handles_names(STAGES[job.stage]) else nullcontext()


def forget(datasets: Datasets, ledger: Ledger, name: str) -> Forgotten:
    """Forget the person of this name.

    Args:
        datasets: in the store.
        ledger: of the same platform.
        name: as votes have it.

    Raises:
        Temporary: a stage that handles names is under way, or garbage is deleted; nothing was done.

    """
    with names_held(ledger, alone=True):
        return _forget(datasets, ledger, name)


def _forget(datasets: Datasets, ledger: Ledger, name: str) -> Forgotten:
    ledger.run("begin_forgetting", name=name, pseudonym=f"forgotten-{token_hex(4)}")
    (row,) = ledger.rows("pseudonym_of", name=name)
    pseudonym = str(row["pseudonym"])
    with ledger.transaction():
        # After words of the person that are being written, and before any later one.
        ledger.rows("keep_known", name=name, alone=True)
        known = ledger.run("add_pseudonym", name=name, pseudonym=pseudonym)
        ledger.run("return_clips", annotator=name)
        ledger.run("return_segments", annotator=name)
        (renamed,) = ledger.rows("give_pseudonym", name=name, pseudonym=pseudonym)
        _reword(ledger, name, pseudonym)
        ledger.run("delete_annotator", annotator=name)
    generations = sum(_renamed(datasets, ledger, name, pseudonym))
    pages = list(_pages(datasets, name))
    for page in pages:
        datasets.store.delete(page)
    done = Forgotten(
        pseudonym=pseudonym, known=bool(known), votes=int(renamed["votes"]), words=int(renamed["words"]),
        generations=generations, pages=len(pages),
    )  # fmt: skip
    ledger.run("end_forgetting", name=name, stays=not done.nothing)
    return done


def in_text(*spellings: str) -> str:
    """Return a regular expression that finds a name but no longer name that holds it.

    Names are made of letters, digits and `_`, `-`, `@`, `.`; a dot that nothing follows ends a sentence. It is for
    Python alone: what a letter is depends on the locale of a Postgres.
    """
    inner = "|".join(map(re.escape, spellings))
    return rf"(?<![\w@-])(?<!\w\.)(?:{inner})(?![\w@-])(?!\.\w)"


def _reword(ledger: Ledger, name: str, pseudonym: str) -> None:
    """Let the pseudonym stand for the name in what people wrote, and drop what was rejected and tells of the person."""
    pattern = re.compile(in_text(name))
    for row in ledger.rows("flags_that_hold", text=name):
        ledger.run("reword_flag", flag_id=row["flag_id"], comment=pattern.sub(pseudonym, row["comment"]))
    for row in ledger.rows("reasons_that_hold", text=name):
        ledger.run("reword_reason", reason=row["reason"], other=pattern.sub(pseudonym, row["reason"]))
    for row in ledger.rows("rejected_that_hold", text=name):
        if pattern.search(row["detail"]):
            ledger.run("drop_rejected_vote", source=row["source"], item=row["item"])
    for row in ledger.rows("files_that_hold", text=name):
        ledger.run("reword_file", source=row["source"], other=pattern.sub(pseudonym, row["source"]))


def _renamed(datasets: Datasets, ledger: Ledger, name: str, pseudonym: str) -> Iterator[int]:
    """Yield, for each partition with the name, how many of its generations held it; none of them is left."""
    for dataset, column in HOLDERS:
        versions = (dataset, dataset.upgrade and dataset.upgrade.previous)
        for own in (replace(one, upgrade=None) for one in versions if one):
            for keys, numbers in list(datasets.generations(own)):
                every = [datasets.generation(own, keys, f"g{number:04d}") for number in numbers]
                held = [one for one in every if _holds(datasets, one, column, name)]
                if not held:
                    continue
                newest = every[-1]
                if newest in held:
                    newest = _written(datasets, own, newest, column, name, pseudonym)
                # Also where a call that was cut off has written it.
                records.record(ledger, [Record.of(newest)])
                for one in held:
                    _delete(datasets, ledger, one)
                yield len(held)


def _holds(datasets: Datasets, manifest: Manifest, column: str, name: str) -> bool:
    """Return whether a generation holds the name. One whose deletion was cut off counts: its parts are gone."""
    try:
        return any(_of_name(table, column, name).any() for table in datasets.tables(manifest))
    except NotMade:
        return True


def _of_name(table: pa.Table, column: str, name: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which rows are about the person, shape (rows,)."""
    found = pc.equal(table[column], name).fill_null(False)
    if table.schema.names[0] == "kind":  # of `crowd`, whose categories and panels have names too
        found = pc.and_(found, pc.equal(table["kind"], "person"))
    return np.asarray(found.to_numpy(), dtype=bool)


def _written(
    datasets: Datasets, dataset: Dataset[Any], manifest: Manifest, column: str, name: str, pseudonym: str
) -> Manifest:
    """Write the next generation of a partition, with the pseudonym; all else is as it was."""

    def renamed(table: pa.Table) -> pa.Table:
        own, place = _of_name(table, column, name), table.schema.get_field_index(column)
        values = pc.if_else(pa.array(own), pa.scalar(pseudonym, pa.string()), table[column])
        return table.set_column(place, table.schema.field(place), values)

    return datasets.write(
        dataset, map(renamed, datasets.tables(manifest)), keys=manifest.keys, stage=manifest.made_by.stage,
        settings=manifest.made_by.settings, made_from=manifest.made_from, drops=manifest.drops,
    )  # fmt: skip


def _delete(datasets: Datasets, ledger: Ledger, manifest: Manifest) -> None:
    """Delete a generation: its record first, its manifest last."""
    ledger.run("forget_dataset", address=manifest.address, generation=manifest.generation)
    for part in manifest.parts:
        datasets.store.delete(f"{manifest.folder}/{part.name}")
    datasets.store.delete(f"{manifest.folder}/manifest.json")


def _pages(datasets: Datasets, name: str) -> Iterator[str]:
    """Yield the pages in the store that show the name as a word."""
    pattern = re.compile(in_text(name, html.escape(name), json.dumps(name)[1:-1]))
    for folder in PAGES:
        for page in datasets.store.names(folder):
            if pattern.search(datasets.store.get(page).decode(errors="replace")):
                yield page
