"""Frozen networks at work."""

import subprocess
import sys


def test_memory_of_a_layer_is_kept_for_the_next() -> None:
    """In a process of its own, as the setting stays until it ends; the first uses only make the heap grow."""
    code = """
import resource, torch
from slac_tasks.networks.inference import keep_freed_memory
keep_freed_memory()
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(64 << 20)  # 256 MiB, 65,536 pages
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(*[faults() for _ in range(6)])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seen = [int(count) for count in done.stdout.split()]
    assert seen[-1] < seen[0] / 10, seen
