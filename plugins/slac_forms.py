"""What a person fills in when a run is started by hand. A field is optional: a run that lacks something says so.

Airflow makes a form when it reads a DAG file, so `offered_field` lists the folders that the settings name then, and
opens none of their files. Names of manifests and buckets are not in the list: they are typed, and checked by the run.
"""

from pathlib import Path
from typing import Any

from airflow.sdk import Param

from slac_tasks import config
from slac_tasks.errors import SlacError

_MOST_OFFERED = 500
"""So many names a list may have; the others are typed."""


def _names(title: str, description: str, **kwargs: Any) -> Param:
    # Null, so that an empty field is no error; Airflow draws the field of the other type.
    items = {"type": "string", "minLength": 1}
    return Param([], type=["null", "array"], items=items, title=title, description=description, **kwargs)


def category_field(description: str) -> Param:
    """Return the field for categories by name, one a line."""
    return _names("Categories", description)


def offered_field() -> dict[str, Param]:
    """Return the field that offers the names of the sources' folders; nothing where there is none to offer."""
    names = _offered()
    says = "What the folders of the sources hold. One that is registered gets what it lacks."
    return {"offered": _names("Or pick from the sources", says, examples=names)} if names else {}


def guideline_field() -> Param:
    """Return the field for what reviewers are told."""
    says = "What counts as the action, for reviewers: of every category above. Empty leaves what there is."
    return Param("", type=["null", "string"], format="multiline", title="Guideline", description=says)


def reason_field(description: str) -> Param:
    """Return the field for why something is decided; a run without it ends with what is missing."""
    return Param("", type=["null", "string"], format="multiline", title="Reason", description=description)


def past_fields() -> dict[str, Param]:
    """Return the fields for bounds of past windows."""
    return {
        "from": _week("From", "Monday of the first past window. Empty: every one that was collected."),
        "to": _week("To", "Monday of the last past window. Empty: the newest that has ended."),
    }


def wish_fields() -> dict[str, Param]:
    """Return the fields for what else can be asked of a category that is added."""
    budget = "Begin no further past window once so many videos are there. Empty: no budget."
    floor = "Share of positives that must be right, below 1. Empty: what the settings say."
    return {
        **past_fields(),
        "videos": Param(None, type=["null", "integer"], minimum=1, title="Videos at most", description=budget),
        "floor": Param(None, type=["null", "number"], minimum=0, exclusiveMaximum=1, title="Floor", description=floor),
    }


def yes_field(title: str, description: str) -> Param:
    """Return the field for a wish that nobody has by default."""
    return Param(False, type="boolean", title=title, description=description)


def text_field(title: str, description: str) -> Param:
    """Return a field for one line."""
    return Param(None, type=["null", "string"], title=title, description=description)


def _week(title: str, description: str) -> Param:
    return Param(None, type=["null", "string"], format="date", title=title, description=description)


def _offered() -> list[str]:
    try:
        folders = [Path(name) for name in config.load().collect.sources]
        found = [one.name for folder in folders if folder.is_dir() for one in folder.iterdir() if one.is_dir()]
    except (SlacError, OSError):
        # `slac doctor` and the run itself say what is wrong; a form without a list still works.
        return []
    return sorted({name for name in found if name.isprintable() and not name.startswith(".")})[:_MOST_OFFERED]
