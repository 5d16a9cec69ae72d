"""Frozen networks at work."""

import subprocess
import sys


def test_memory_of_a_layer_is_kept_for_the_next() -> None:
    """In a process of its own, as the setting stays until it ends.

    A block of torch is aligned: whether it fits where the last one was depends on what else was put there. One of numpy
    needs no room beyond its size.
    """
    code = """
import resource
import numpy as np
from slac_tasks.networks.inference import keep_freed_memory
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(32 << 20)  # 256 MiB, 128 pages of 2 MiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
given_back = faults(), faults()
keep_freed_memory()
print(*given_back, faults(), faults())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *given_back, first, later = map(int, done.stdout.split())
    assert min(*given_back, first) >= 128
    assert later < first / 10
