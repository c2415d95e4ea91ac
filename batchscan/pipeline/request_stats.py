"""Counts of a run's requests, and their latencies in a histogram of fixed size."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from batchscan.model import Image

BUCKETS_A_DOUBLING = 16  # a bucket is 4 % wide
SMALLEST_MS = 0.1
BUCKETS = 400  # up to 0.1 ms x 2^25, about an hour


@dataclass(slots=True)
class LatencyHistogram:
    """Milliseconds from the first byte sent to the last byte received, of answered requests."""

    counts: list[int] = field(default_factory=lambda: [0] * BUCKETS)
    longest_ms: float = 0.0

    def add(self, milliseconds: float) -> None:
        """Count one latency, in milliseconds."""
        ratio = max(milliseconds, SMALLEST_MS) / SMALLEST_MS
        self.counts[min(BUCKETS - 1, int(math.log2(ratio) * BUCKETS_A_DOUBLING))] += 1
        self.longest_ms = max(self.longest_ms, milliseconds)

    def quantile(self, share: float) -> float | None:
        """The latency that this share (0 to 1) of requests did not exceed, within 4 %, or None."""
        target = share * sum(self.counts)
        if not target:
            return None
        passed = 0
        for bucket, count in enumerate(self.counts):
            passed += count
            if passed >= target:
                upper: float = SMALLEST_MS * 2.0 ** ((bucket + 1) / BUCKETS_A_DOUBLING)
                return min(upper, self.longest_ms)
        return self.longest_ms


@dataclass(slots=True)
class RequestStats:
    """Counts of a run's requests that carried a picture."""

    requests: int = 0
    retries: int = 0
    bytes_sent: int = 0
    latencies: LatencyHistogram = field(default_factory=LatencyHistogram)

    def count(self, image: Image, *, again: bool) -> None:
        """Count a request that is about to be sent; `again` if its picture was sent before."""
        self.requests += 1
        self.retries += again
        self.bytes_sent += image.sent.bytes if image.sent else image.stat.size
