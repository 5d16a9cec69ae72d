"""What reviewers of a world are told: a name and a guideline for each of its categories."""

from collections.abc import Mapping

from slac_tasks.world.catalogue import SIZES, categories
from slac_tasks.world.figure import Action

_MOVES = {
    "lift": "rises slowly and snaps back down",
    "drop": "snaps up and sinks slowly",
    "slow_swing": "swings to and fro, about once in two seconds",
    "fast_swing": "swings to and fro, about twice in two seconds",
}
"""What the eye sees of a time profile."""


def guidelines(size: str) -> Mapping[str, str]:
    """Return the guideline of each category of a world, by the category's name."""
    known = categories(SIZES[size])
    return {action.name: _guideline(action, known) for action in known}


def _guideline(action: Action, known: tuple[Action, ...]) -> str:
    limb = " and ".join(f"the {joint.replace('_', ' ')}" for joint in action.joints)
    lines = [
        f"Yes when {limb} of the figure {_MOVES[action.profile]}, also where only a part of it is seen.",
        *(
            f"No when it {_MOVES[other.profile]}: that is “{other.name}”. One still picture cannot tell the two apart, "
            "so watch how it moves."
            for other in known
            if other.is_paired(action)
        ),
        "No when only another part of the body moves.",
    ]
    return "\n\n".join(lines)
