"""Fingerprints for tests: random ones, and damaged copies."""

import numpy as np

from slac_tasks.admission.likeness.fingerprints import NUMBERS, VIEWS, Table


def random_table(seed: int, rows: int) -> Table:
    """Return a fingerprint in which every picture and every motion is another."""
    rng = np.random.default_rng(seed)
    numbers = rng.integers(1, 2**63, (rows, NUMBERS), dtype=np.uint64)
    numbers[:, : len(VIEWS)] <<= np.uint64(1)
    return numbers


def damaged(fingerprint: Table, seed: int, share: float) -> Table:
    """Return a fingerprint of which this share of bits is turned."""
    rng = np.random.default_rng(seed)
    noise = rng.random((*fingerprint.shape, 63)) < share
    turned = (noise.astype(np.uint64) << np.arange(63, dtype=np.uint64)).sum(axis=-1, dtype=np.uint64)
    return np.asarray(fingerprint ^ turned)
