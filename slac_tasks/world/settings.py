"""The settings with which the platform runs on a world: small networks, short rounds, a gate of its size."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_DEMO: Mapping[str, Mapping[str, Any]] = {
    "proposal": {"people": "none"},
    "committee": {
        "members": ["small_frame", "small_3d", "small_motion"],
        "pretrained": "random",
        "steps": 100,
        "batch": 32,
        "clips_per_video": 24,
    },
    "mining": {"clips_per_round": 30, "disagreement": 0.4, "consensus": 0.3, "clips_per_video": 6},
    "review": {"votes_wanted": 2, "votes_most": 3},
    "quality": {"min_labels": 10, "min_agreement": 0.65, "min_positive_share": 0.12},
    # Two windows cannot fill a release, so the first one holds all three; a second round stays below it.
    "release": {"min_new_labels": 500, "wait_for_queue": True},
    "training": {
        "architecture": "small_3d",
        "steps": 200,
        "batch": 32,
        "transfer_labels": 5,
        "transfer_steps": 60,
        "transfer_seeds": 3,
        # Enough to score the newest window again, and no more.
        "rescore_gpu_hours": 0.003,
    },
}
_QUICK: Mapping[str, Mapping[str, Any]] = {
    **_DEMO,
    "committee": {**_DEMO["committee"], "steps": 25, "batch": 16},
    "mining": {**_DEMO["mining"], "clips_per_round": 20},
    "release": {"min_new_labels": 10, "wait_for_queue": True},
    "training": {
        **_DEMO["training"],
        "steps": 40,
        "batch": 16,
        "transfer_steps": 30,
        "rescore_gpu_hours": 0.0,
    },
}
KNOBS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {"demo": _DEMO, "quick": _QUICK}


def toml(folder: Path, size: str) -> str:
    """Return slac.toml of the world in `folder`; the store's address is not in it."""
    tables = {"collect": {"sources": [str(folder / "manifest.jsonl")]}, **KNOBS[size]}
    tables["training"] = {**tables["training"], "transfer": str(folder / "transfer")}
    lines = ["# Written by `slac world make`: settings fit for this world's size.", "batch_categories = 9"]
    for name, knobs in tables.items():
        # JSON's strings, numbers, lists and booleans are TOML's too.
        lines += ["", f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in knobs.items())]
    return "\n".join(lines) + "\n"
