"""Which clips of a round are asked together: sets of clips that look alike, answered on one screen.

A set is worth asking where one answer fits most of it. So its clips come from one cluster of the kept features
(`mining.alike`), or from one shot of a video. Clips that say what labels are worth, the control and the audit, are in
no set: an answer that is given beside eleven others depends on them. The review service imports this, so it is light.
"""

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Sequence

SET_MOST = 12
"""Clips of a set, at most: a screen of the grid."""
SET_LEAST = 4
"""Fewer clips are asked one by one: a set would save little."""


def named(groups: Sequence[Hashable | None], *of: str) -> list[str | None]:
    """Return the name of each clip's set, None where it is asked alone.

    Names are hashes, so their order is one drawn by lot, and the same clips of the same round have the same names.

    Args:
        groups: what the clips of a set have in common; None: asked alone. More clips than a screen holds are cut.
        of: what names are made from beside the group: the category and the round.

    """
    members = defaultdict(list)
    for row, group in enumerate(groups):
        if group is not None:
            members[group].append(row)
    names: list[str | None] = [None] * len(groups)
    for group, rows in members.items():
        parts = -(-len(rows) // SET_MOST)
        for part in range(parts):
            some = rows[part::parts]
            if len(some) >= SET_LEAST:
                text = "\n".join((*of, str(group), str(part)))
                for row in some:
                    names[row] = hashlib.sha256(text.encode()).hexdigest()[:16]
    return names
