"""What Label Studio exports as JSON: a list of tasks, each with `data` and `annotations` (`completions` before 1.0).

Three ways of annotating are read: our own yes or no on a clip (`slac votes tasks`), a choice of classes for the whole
video, and labels with a start and an end. The video is `data.clip_id`'s, else `data.video`. A skipped annotation says
nothing, as in `slac_tasks.verification.label_studio`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from slac_tasks.annotations.opened import Opened
from slac_tasks.annotations.rows import OddRow, RawRow, odd
from slac_tasks.model import Answer

FIELD = "answer"
"""Name of the yes or no of our own labelling config."""
_VERDICTS: Mapping[str, str] = {Answer.YES: "1", Answer.NO: "-1"}


def answer(result: Any) -> Any:
    """Return the one choice of an annotation's yes or no, or what stands there instead."""
    regions = [region for region in result if isinstance(region, Mapping)] if isinstance(result, list) else []
    found = [region.get("value") for region in regions if region.get("from_name") == FIELD]
    if len(found) != 1:
        # A relation between regions has no name.
        named = ", ".join(str(region["from_name"]) for region in regions if "from_name" in region)
        return f"found {named or 'nothing'} in place of one {FIELD}"
    choices = found[0].get("choices") if isinstance(found[0], Mapping) else None
    return choices[0] if isinstance(choices, list) and len(choices) == 1 else choices


def fits(file: Opened) -> bool:
    """Return whether it is a list of tasks; those of JSON-MIN are told as what they are, one by one."""
    found = file.document
    return isinstance(found, list) and any(
        isinstance(task, Mapping) and ("data" in task or "annotation_id" in task) for task in found
    )


def rows(file: Opened) -> Iterator[RawRow | OddRow]:
    """Yield the video of every task, and what each annotation says of it."""
    for number, task in enumerate(file.document, start=1):
        place = f"task {number}"
        data = task.get("data") if isinstance(task, Mapping) else None
        annotations = task.get("annotations", task.get("completions", [])) if isinstance(task, Mapping) else None
        if not isinstance(data, Mapping) or not isinstance(annotations, list):
            want = "want an object with data and annotations, as in the export named JSON"
            yield odd(place, "task", f"is {str(task)[:60]}, {want}")
            continue
        yield RawRow(place=place, labelled=False, **_known(data))
        for count, annotation in enumerate(annotations, start=1):
            yield from _annotation(f"{place}, annotation {count}", data, annotation)


def _known(data: Mapping[str, Any]) -> dict[str, Any]:
    clip = data.get("clip_id")
    video = clip.rpartition(":")[0] if isinstance(clip, str) else data.get("video")
    url = data.get("video")
    return {"video": video, "split": data.get("split"), "duration": data.get("duration"), "url": url or None}


def _annotation(place: str, data: Mapping[str, Any], annotation: Any) -> Iterator[RawRow | OddRow]:
    result = annotation.get("result") if isinstance(annotation, Mapping) else None
    skipped = annotation.get("was_cancelled") if isinstance(annotation, Mapping) else None
    if not isinstance(skipped, bool | None):
        yield odd(place, "annotation", f"was_cancelled is {str(skipped)[:60]!r}, want true or false")
    elif skipped:
        return
    elif not isinstance(result, list):
        yield odd(place, "annotation", f"is {str(annotation)[:60]}, want an object with a result")
    elif "category" in data:
        said = answer(result)
        # In any letters, as a vote.
        said = said.strip().casefold() if isinstance(said, str) else said
        if said not in (Answer.UNSURE, Answer.BROKEN):
            yield _answered(place, data, said)
    else:
        for number, region in enumerate(result, start=1):
            yield from _region(f"{place}, region {number}", data, region)


def _answered(place: str, data: Mapping[str, Any], said: Any) -> RawRow | OddRow:
    verdict = _VERDICTS.get(said) if isinstance(said, str) else None
    if verdict is None:
        return odd(place, "verdict", f"answer is {str(said)[:60]!r}, want one of {', '.join(Answer)}")
    timed = "start" in data or "end" in data
    return RawRow(
        place=place, label=data["category"], start=data.get("start"), end=data.get("end"), timed=timed,
        verdict=verdict, **_known(data),
    )  # fmt: skip


def _region(place: str, data: Mapping[str, Any], region: Any) -> Iterator[RawRow | OddRow]:
    value = region.get("value") if isinstance(region, Mapping) else None
    said = value if isinstance(value, Mapping) else {}
    timed = "choices" not in said
    names = said.get("labels" if timed else "choices")
    if not isinstance(names, list):
        yield odd(place, "region", f"is {str(region)[:60]}, want choices, or labels with start and end in seconds")
        return
    for number, name in enumerate(names, start=1):
        yield RawRow(
            place=f"{place}, label {number}",
            label=name,
            start=said.get("start"),
            end=said.get("end"),
            timed=timed,
            **_known(data),
        )
