"""Label Studio as a place where people answer: tasks go out as its JSON, annotations come in from its Postgres.

    slac votes tasks --category judo --media https://media.example/slac > tasks.json    import these into a project
    slac votes tasks --config                                                           and this is its labelling config

`sync` then reads the project's annotations, when SLAC_DATABASE_URL_LABEL_STUDIO and SLAC_LABEL_STUDIO_PROJECT are set.
A person there is `label-studio:<e-mail>` here, who joins a group by `slac annotator add label-studio:ann@example.com
--group B`. A skipped (cancelled) task is the answer `unsure`: the person looked and did not decide. An
annotation that is changed becomes a new vote. It supersedes the old one if the same person changed it; a change by
somebody else, such as a lead, is that person's own vote. What makes no sense is set aside; `slac votes rejected` lists
it. `elsewhere.deleted` says what becomes of a vote whose annotation is deleted there.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from slac_tasks.annotations.readers import label_studio
from slac_tasks.errors import NotConfigured
from slac_tasks.given.words import printable
from slac_tasks.model import Answer
from slac_tasks.storage.ledger import Ledger, open_postgres
from slac_tasks.verification.answers import GivenAnswer, RawAnswer, Rejection, parse

URL, PROJECT = "SLAC_DATABASE_URL_LABEL_STUDIO", "SLAC_LABEL_STUDIO_PROJECT"
_NAME = "label-studio"
PREFIX = f"{_NAME}:"
"""Stands before the e-mail address of a person there."""
_MOST_PROJECT = 2**31 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class LabelStudio:
    """One project in a Label Studio's database."""

    ledger: Ledger
    project: int

    @property
    def name(self) -> str:
        """The source, as people read it and as votes note it."""
        return f"{_NAME} project {self.project}"

    def answers(self) -> Iterator[GivenAnswer | Rejection]:
        """Yield every annotation as an answer or, where it makes no sense, as a rejection."""
        for rows in self.ledger.stream("annotations", project=self.project):
            for row in rows:
                yield parse(_NAME, _raw(row))


def _raw(row: Mapping[str, Any]) -> RawAnswer:
    return RawAnswer(
        item=f"annotation {row['annotation']}",
        name=str(row["annotation"]),
        clip_id=row["clip_id"],
        category=row["category"],
        annotator=row["email"],
        answer=Answer.UNSURE if row["cancelled"] else _choice(row["result"]),
        seconds=row["seconds"],
        cast_at=_moment(row["changed_us"]),
        prefix=PREFIX,
    )


def _moment(microseconds: int | None) -> datetime | str:
    """Return a moment of annotations.sql; in words where it is none of Python's calendar."""
    return "none of the years 1 to 9999" if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)


def _choice(result: str | None) -> Any:
    """Return the one choice of an annotation's result, or what stands there instead."""
    try:
        return label_studio.answer(json.loads(result or "null"))
    except (ValueError, RecursionError):
        return None


def connect(environ: Mapping[str, str]) -> LabelStudio | None:
    """Return the project that the environment names, or None.

    Raises:
        NotConfigured: half of it is named, or the project is no number that Label Studio gives.
        Temporary: its database does not answer.

    """
    url, project = environ.get(URL, ""), environ.get(PROJECT, "")
    if not url and not project:
        return None
    if not url or not re.fullmatch(r"[0-9]{1,10}", project) or not 1 <= int(project) <= _MOST_PROJECT:
        raise NotConfigured(
            f"{URL} and {PROJECT}: set {bool(url)} and {printable(project[:40])!r}, want an address and a number, "
            f"from 1 to {_MOST_PROJECT}"
        )
    ledger = open_postgres(url, URL, "label_studio")
    ledger.run("limit_time")
    return LabelStudio(ledger=ledger, project=int(project))
