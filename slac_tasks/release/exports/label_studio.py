"""Tasks of Label Studio, one for each label, which stands in them as an annotation: people see it and may change it.

The tasks are those of `slac votes tasks`, so they go into a project with its labelling config.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from slac_tasks.annotations.readers.label_studio import FIELD
from slac_tasks.model import Answer
from slac_tasks.release.exports.contents import Contents
from slac_tasks.verification.label_studio_tasks import tasks


def write(release: Contents, path: Path) -> None:
    """Write every label, one task a line."""
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        for number, task in enumerate(_tasks(release)):
            file.write((",\n" if number else "\n") + json.dumps(task, ensure_ascii=False))
        file.write("\n]\n")


def _tasks(release: Contents) -> Iterator[dict[str, Any]]:
    for row in release.rows():
        clip = {
            "clip_id": row.clip_id, "category": row.category, "name": release.names[row.category], "guideline": "",
            "proxy_256": row.proxy_256, "start_sec": row.start_sec, "end_sec": row.end_sec,
        }  # fmt: skip
        (task,) = tasks([clip], release.media_address)
        task["data"] |= {"split": row.split, "duration": row.duration_sec}
        yield task | {"annotations": [{"result": [_region(Answer.YES if row.label == 1 else Answer.NO)]}]}


def _region(answer: Answer) -> dict[str, Any]:
    return {"from_name": FIELD, "to_name": "video", "type": "choices", "value": {"choices": [str(answer)]}}
