"""What a decoder tries that a stranger's file has taken over, and what of it is promised not to work."""

from collections.abc import Mapping
from pathlib import Path

HOSTILE = Path(__file__).with_name("hostile_decoder.py")

FORBIDS = {
    "network": ("connect", "datagram", "unix socket", "io_uring"),
    "processes": ("fork", "spawn", "leave the group"),
    "environments": ("environment of the holder", "memory of the holder", "trace the holder", "limits of the holder"),
    "files": ("read a file", "list a folder", "write a file"),
    "signals": ("signal", "signal to all"),
    "memory": ("more memory", "memory without a limit"),
}
"""What the hostile decoder tries, by the promise that forbids it."""


def broken_promises(got: Mapping[str, str], held: Mapping[str, bool]) -> dict[str, str]:
    """Return what it got although this machine's kernel holds it back."""
    return {
        name: got[name]
        for promise, names in FORBIDS.items()
        for name in names
        if held[promise] and not got[name].startswith("refused")
    }
