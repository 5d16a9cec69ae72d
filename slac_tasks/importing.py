"""Importing what a command works with, without looking for garbage in it."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType


@contextmanager
def kept() -> Iterator[None]:
    """Look for no garbage in the block, nor ever after among what it made."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def imported(name: str) -> ModuleType:
    """Import a module as `importlib.import_module` does, in less time.

    What an import makes stays as long as the process. Python would look through it for garbage again and again while it
    grows, and once more at the end of the process: a third of the processor time that a stage with networks takes
    before its work begins (measured).
    """
    if name in sys.modules or not gc.isenabled():
        return import_module(name)
    with kept():
        return import_module(name)
