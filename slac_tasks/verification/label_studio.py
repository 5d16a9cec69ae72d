"""Label Studio as a place where people answer: tasks go out as its JSON, annotations come in from its Postgres.

    slac votes tasks --category judo --media https://media.example/slac > tasks.json    import these into a project
    slac votes tasks --config                                                           and this is its labelling config

`sync` then reads the project's annotations, when SLAC_DATABASE_URL_LABEL_STUDIO and SLAC_LABEL_STUDIO_PROJECT are set.
A person there is `label-studio:<e-mail>` here. A skipped (cancelled) task is the answer `unsure`: the person looked and
did not decide. An annotation that is changed becomes a new vote that supersedes the old one. One that is deleted there
stays a vote here, since votes are never deleted: change it to `unsure` first.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slac_tasks.errors import BrokenContract, NotConfigured
from slac_tasks.model import Answer
from slac_tasks.storage.ledger import Ledger, open_postgres
from slac_tasks.verification.imports import GivenAnswer, parse, vote_id

URL, PROJECT = "SLAC_DATABASE_URL_LABEL_STUDIO", "SLAC_LABEL_STUDIO_PROJECT"

LABEL_CONFIG = """\
<View>
  <Header value="$question"/>
  <Text name="guideline" value="$guideline"/>
  <Video name="video" value="$video"/>
  <Choices name="answer" toName="video" choice="single-radio" required="true" showInline="true">
    <Choice value="yes" hotkey="y"/>
    <Choice value="no" hotkey="n"/>
    <Choice value="unsure" hotkey="u"/>
    <Choice value="broken" hotkey="b"/>
  </Choices>
</View>
"""


def tasks(clips: Iterable[Mapping[str, Any]], media: str) -> list[dict[str, Any]]:
    """Return the clips of a queue as Label Studio tasks.

    Args:
        clips: rows of the query clips_to_ask.
        media: address below which a web server shows the store's objects. A media fragment (W3C) names the clip.

    """
    return [
        {
            "data": {
                "clip_id": clip["clip_id"],
                "category": clip["category"],
                "question": f"Does this clip contain: {clip['name']}?",
                "guideline": clip["guideline"],
                "video": f"{media.rstrip('/')}/{clip['proxy_256']}#t={clip['start_sec']:g},{clip['end_sec']:g}",
                "start": clip["start_sec"],
                "end": clip["end_sec"],
            }
        }
        for clip in clips
    ]


@dataclass(frozen=True, kw_only=True)
class LabelStudio:
    """One project in a Label Studio's database."""

    ledger: Ledger
    project: int
    name: str = "label-studio"

    def answers(self) -> Iterator[GivenAnswer | str]:
        """Yield every annotation as an answer; for one that makes no sense, what is wrong with it."""
        for rows in self.ledger.stream("annotations", project=self.project):
            for row in rows:
                try:
                    yield self._answer(row)
                except BrokenContract as error:
                    yield f"annotation {row['annotation']}: {error}"

    def _answer(self, row: Mapping[str, Any]) -> GivenAnswer:
        return parse(
            vote_id=vote_id(self.name, str(row["annotation"]), row["updated_at"]), clip_id=row["clip_id"],
            category=row["category"], annotator=f"{self.name}:{row['email']}" if row["email"] else "",
            answer=Answer.UNSURE if row["cancelled"] else _choice(row["result"]), seconds=row["seconds"],
            cast_at=row["updated_at"],
        )  # fmt: skip


def _choice(result: Any) -> Any:
    """Return the one choice of an annotation's result."""
    try:
        (region,) = [region for region in result if region["from_name"] == "answer"]
        (choice,) = region["value"]["choices"]
    except (TypeError, KeyError, ValueError) as error:
        raise BrokenContract(f"result {str(result)[:80]!r}: want one choice of `answer`") from error
    return choice


def connect(environ: Mapping[str, str]) -> LabelStudio | None:
    """Return the project that the environment names, or None.

    Raises:
        NotConfigured: half of it is named, or the project is no number.
        Temporary: its database does not answer.

    """
    url, project = environ.get(URL, ""), environ.get(PROJECT, "")
    if not url and not project:
        return None
    if not url or not project.isascii() or not project.isdecimal():
        raise NotConfigured(f"{URL} and {PROJECT}: set {bool(url)} and {project!r}, want an address and a number")
    return LabelStudio(ledger=open_postgres(url, URL, "label_studio"), project=int(project))
