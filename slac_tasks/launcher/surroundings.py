"""What a command works with where nobody set anything: the settings of the demo that runs on this machine."""

from slac_tasks.config import CHOSEN
from slac_tasks.errors import NotConfigured
from slac_tasks.launcher.state import Demo, found, root

LEDGER = "SLAC_DATABASE_URL"
"""Holds a password: printed by `slac env` alone, and never to a terminal."""


def running() -> Demo | None:
    """Return the demo whose database runs on this machine; None where there is none.

    Raises:
        NotConfigured: several run.

    """
    try:
        demos = [demo for demo in found() if demo.postgres.running]
    except PermissionError:
        # A demo of another account is not ours.
        return None
    if len(demos) > 1:
        homes = ", ".join(str(demo.home) for demo in demos)
        raise NotConfigured(f"SLAC_STORE: not set, and several demos run in {root()}, want the store of one: {homes}")
    return demos[0] if demos else None


def variables(demo: Demo, *, ledger: bool = True) -> dict[str, str]:
    """Return the variables that lead to a running demo's settings and store, and to its ledger where that is wanted."""
    found = demo.environ(demo.postgres.url("slac"))
    return {name: found[name] for name in CHOSEN if ledger or name != LEDGER}
