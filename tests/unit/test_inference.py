"""Frozen networks at work."""

import subprocess
import sys

import pytest


def test_memory_of_a_layer_is_kept_for_the_next() -> None:
    """In processes of their own: the setting stays until a process ends.

    Where the kernel has put something in the heap's way it cannot grow, and the memory is mapped anew after all: of
    five processes, one must show the gain.
    """
    code = """
import resource, torch
from slac_tasks.inference import keep_freed_memory
keep_freed_memory()
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(16 << 20)  # 64 MiB, 16,384 pages
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(faults(), faults())
"""
    seen = []
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        first, second = map(int, done.stdout.split())
        if second < first / 4:
            return
        seen.append((first, second))
    pytest.fail(f"page faults of the first and second use: {seen}")
