"""Frozen networks at work."""

import subprocess
import sys


def test_memory_of_a_layer_is_kept_for_the_next():
    """In a process of its own: the C library keeps such a setting until the process ends."""
    code = """

import resource, torch
from slac_tasks.inference import keep_freed_memory
keep_freed_memory()
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(64 << 20)  # 256 MiB, 65,536 pages
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(faults(), faults())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second = map(int, done.stdout.split())
    assert second < first / 10
