"""The price of a picture, estimated from the charges seen so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

FACTOR = 10  # a charge more than this many times the usual one is implausible
MAX_ALONE = 100  # credits: the most that is plausible without confirmation or smaller charges
CONFIRMED = 3  # answers with the same charge make it plausible...
MAX_CONFIRMED = 1_000_000  # ...up to this many credits
MAX_KEPT = 1_000  # different charges that are counted in a run


class Prices:
    """Counts of charges, and the largest plausible one.

    A service or proxy may return a wrong number once. It must not count as a price: it would be
    reserved for every later request, and no budget would admit one again.
    """

    def __init__(self, charges: Mapping[int, int] | None = None) -> None:
        """Start with the charges in the ledger: counts by credits."""
        self._counts = Counter({charge: n for charge, n in (charges or {}).items() if charge >= 0})
        self._most: int | None = None
        self.odd = False  # whether a charge is implausible
        self._judge()

    @property
    def largest(self) -> int | None:
        """The largest plausible charge, in credits; None without one."""
        return self._most

    @property
    def free(self) -> bool:
        """Whether there were answers, and all of them were free."""
        return self._most == 0 and not self.odd

    def add(self, charge: int) -> None:
        """Count the charge of an answer, in credits."""
        if charge in self._counts or len(self._counts) < MAX_KEPT:
            self._counts[charge] += 1
        if self._most is None or charge > self._most:
            self._judge()

    def _judge(self) -> None:
        bound = min(FACTOR * max(1, self._median()), MAX_ALONE)
        self._most, self.odd = None, False
        for charge, times in sorted(self._counts.items()):
            if charge <= bound or (times >= CONFIRMED and charge <= MAX_CONFIRMED):
                self._most = charge
                bound = max(bound, FACTOR * charge)
            else:
                self.odd = True

    def _median(self) -> int:
        before_median = self._counts.total() // 2
        for charge, times in sorted(self._counts.items()):
            before_median -= times
            if before_median < 0:
                return charge
        return 0
