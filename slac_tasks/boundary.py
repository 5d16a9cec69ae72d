"""Whether Airflow's plugin and the image of the work fit: both hash all that crosses the process boundary.

The plugin builds command lines out of `procedure.py`, and the image reads them with its own. After an upgrade of one
side alone a flag may be missing, or a stage may find no password. So whoever starts a command says in a variable what
it was built with, and a command that was built with something else refuses to work. The hash is computed, so no number
has to be raised by hand; releases that differ elsewhere fit. Standard library only.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict

from slac_tasks import __version__
from slac_tasks.errors import NotConfigured
from slac_tasks.model import content_hash
from slac_tasks.procedure import LEDGER_COMMANDS, STAGES

VARIABLE = "SLAC_BOUNDARY"
"""Variable in which the plugin says what it was built with, as `spoken` writes it."""


def boundary() -> str:
    """Return 16 hex digits that name all command lines, and which of them are given the ledger's password."""
    stages = {
        stage.name: {
            "flags": [{**asdict(flag), "help": "", "example": ""} for flag in stage.command_line],
            "ledger": stage.ledger,
            "takes": [stage.remakes, stage.follows],
        }
        for stage in STAGES.values()
    }
    return content_hash(json.dumps([stages, sorted(LEDGER_COMMANDS)], sort_keys=True))


def spoken() -> str:
    """Return what this code says to the other side: its version, for people, and its boundary."""
    return f"{__version__} {boundary()}"


def check(environ: Mapping[str, str]) -> None:
    """Refuse to work for a plugin of another release; a command that a person types says nothing and is taken.

    Raises:
        NotConfigured: the plugin and this code do not fit.

    """
    said = environ.get(VARIABLE, "")
    version, _, theirs = said.partition(" ")
    ours = boundary()
    if said and theirs != ours:
        raise NotConfigured(
            f"slac {__version__} ({ours}) was started by the plugin of slac {version} ({theirs}) and reads other "
            "command lines; want the plugin and the images of one release"
        )
