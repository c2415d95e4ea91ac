"""What a picture costs, as the charges seen so far say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

FACTOR = 10  # a charge so many times the others is odd
MAX_ALONE = 100  # credits: a charge above this is odd where nothing else is known
CONFIRMED = 3  # answers that charged the same are no slip any more...
MAX_CONFIRMED = 1_000_000  # ...up to this many credits
MAX_KEPT = 1_000  # different charges that are counted in a run


class Prices:
    """How often each charge came, and the largest of them that is plausible.

    A service or a proxy may write nonsense into one answer. Such a charge is no price: else it
    would be set aside for every later request, and no budget would let one through again.
    """

    def __init__(self, charges: Mapping[int, int] | None = None) -> None:
        """Start with the counts of the charges that the ledger knows, in credits."""
        self._counts = Counter({charge: n for charge, n in (charges or {}).items() if charge >= 0})
        self._most: int | None = None
        self.odd = False  # whether some charge is not plausible
        self._judge()

    @property
    def largest(self) -> int | None:
        """The largest plausible charge, in credits; None where none is known."""
        return self._most

    @property
    def free(self) -> bool:
        """Whether there were answers, and every one of them cost nothing."""
        return self._most == 0 and not self.odd

    def add(self, charge: int) -> None:
        """Count the charge of one more answer."""
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
        left = self._counts.total() // 2
        for charge, times in sorted(self._counts.items()):
            left -= times
            if left < 0:
                return charge
        return 0
