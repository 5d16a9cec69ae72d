"""Questions that wait for a person who is not there, in words.

Nobody answers a clip twice. Where two answers are wanted and one person works alone, or a category was given to a group
without people, its clips wait for ever.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from slac_tasks.given.words import printable


def waiting(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return in words what waits of a row of `waiting_for_nobody`, and for whom; and the command that helps."""
    people, group = row["people"], printable(row["reviewers"] or "")
    among = f" in its group {group}" if group else ""
    flag = f" --group {group}" if group else ""
    why = f" for one more person; {people} may answer{among}, and did" if people else f", and nobody may answer{among}"
    return f"{row['waiting']:,} {row['what']} wait{why}", f"slac annotator add NAME{flag}"


def waiting_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each row of `waiting_for_nobody`."""
    for row in rows:
        waits, command = waiting(row)
        yield f"{row['category']}: {waits}; `{command}` lets somebody"
