"""Groups a million made-up fingerprints, and prints what that took.

python -m tests.support.million_pictures

A process of its own: what measures the tests would be measured, too.
"""

from __future__ import annotations

import json
import resource
import time

import numpy as np

from batchscan.renditions.grouping import Groups, Pictures

COUNT = 1_000_000
VERSIONS = 5  # of each picture, up to six bits away from the first


def hashes() -> np.ndarray:
    random = np.random.default_rng(1)
    first = random.integers(0, 2**63, (COUNT // VERSIONS, 4), dtype=np.uint64)
    found = np.repeat(first, VERSIONS, axis=0)
    for _ in range(6):
        bits = random.integers(0, 256, COUNT)
        found[np.arange(COUNT), bits // 64] ^= np.uint64(1) << (bits % 64).astype(np.uint64)
    return found[random.permutation(COUNT)]


def resident() -> float:
    """MiB that this process has taken at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    before = resident()
    found, side = hashes(), np.full(COUNT, 400.0)
    began = time.process_time()
    many = Pictures(found, np.full(COUNT, 5.0), side, side, np.zeros(COUNT, np.uint64))
    groups = sum(len(group.members) > 1 for group in Groups(COUNT, many.near_pairs()))
    figures = {
        "groups": groups,
        "seconds": time.process_time() - began,
        "mib": resident() - before,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
