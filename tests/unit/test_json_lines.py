"""A kill tears the last line alone, and no line that is added later."""

import json
from pathlib import Path

import pytest

from slac_tasks import json_lines

SAID = [{"name": "caf\u2028é"}, {"name": "b", "rows": [1.5, None]}, {"name": "c"}]


def test_a_file_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert list(json_lines.read(tmp_path / "none.jsonl")) == []


@pytest.mark.parametrize("torn", range(1, len(json.dumps(SAID[-1])) + 2))
def test_what_a_kill_tears_is_the_last_line_alone(tmp_path: Path, torn: int) -> None:
    path = tmp_path / "said.jsonl"
    for said in SAID:
        json_lines.append(path, said)
    assert list(json_lines.read(path)) == SAID
    path.write_bytes(path.read_bytes()[:-torn])
    json_lines.append(path, {"name": "later"})
    kept = SAID if torn == 1 else SAID[:-1]  # without its line break alone the last one is whole
    assert list(json_lines.read(path)) == [*kept, {"name": "later"}]
