"""The review queue: its order, the neighbours of a match, and counts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from batchscan.enums import Disposition
from batchscan.ledger import Ledger
from batchscan.ledger.match_rows import MatchKey
from batchscan.ledger.review import ANY, QueuedMatch, ReviewFilter, SiteCount
from batchscan.ledger.review_details import SiteSize
from batchscan.review.filters import MatchId, View

AHEAD: Final = 40  # matches that a page lists after the current one
BEHIND: Final = 8  # and before it
MAX_SITES: Final = 10_000  # whose sizes are cached
MAX_COUNTS: Final = 8  # queues whose counts are cached


@dataclass(slots=True)
class QueueCounts:
    """The counts of a queue by site, the one with the most matches first."""

    sites: dict[str, SiteCount]
    generation: int  # of the ledger when it was counted
    order: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, rows: Sequence[SiteCount], generation: int) -> QueueCounts:
        """Make counts of rows."""
        return cls({row.domain: row for row in rows}, generation, [row.domain for row in rows])

    @property
    def total(self) -> int:
        """Matches that pass the filter, with any disposition."""
        return sum(site.total for site in self.sites.values())

    @property
    def left(self) -> int:
        """Matches that are in the queue."""
        return sum(site.meant for site in self.sites.values())

    def move(self, domain: str, by: int) -> None:
        """Update the counts after matches of a site have left or entered the queue."""
        site = self.sites.get(domain)
        if site is not None:
            self.sites[domain] = site._replace(meant=max(0, site.meant + by))


@dataclass(frozen=True, slots=True)
class QueuePage:
    """A match in the queue, and its neighbours."""

    total: int
    left: int
    current: QueuedMatch | None
    before: tuple[QueuedMatch, ...]
    after: tuple[QueuedMatch, ...]

    @property
    def previous(self) -> QueuedMatch | None:
        """The one before."""
        return self.before[-1] if self.before else None

    @property
    def next(self) -> QueuedMatch | None:
        """The one after."""
        return self.after[0] if self.after else None


class Queues:
    """Counts queues and walks them; used on the ledger's thread only."""

    def __init__(self) -> None:
        self._counts: OrderedDict[ReviewFilter, QueueCounts] = OrderedDict()
        self._sites: dict[str, SiteSize] = {}
        self._answers = -1  # that those are of

    def counts(
        self, ledger: Ledger, chosen: ReviewFilter, generation: int, *, exact: bool = True
    ) -> QueueCounts:
        """The counts of a queue.

        Args:
            ledger: within a transaction.
            chosen: which queue.
            generation: of the ledger's content.
            exact: whether to count again after others have changed the ledger. Counting 200,000
                matches takes 0.15 s, which is too long between two keys.
        """
        counts = self._counts.get(chosen)
        if counts is None or (exact and counts.generation != generation):
            counts = QueueCounts.of(ledger.review_queue.sites(chosen), generation)
            self._counts[chosen] = counts
            while len(self._counts) > MAX_COUNTS:
                self._counts.popitem(last=False)
        self._counts.move_to_end(chosen)
        return counts

    def site(self, ledger: Ledger, domain: str, answers: int) -> SiteSize:
        """How many matches are on a site; cached until there is a new answer.

        Args:
            ledger: within a transaction.
            domain: the site.
            answers: the id of the newest answer.
        """
        if answers != self._answers or len(self._sites) > MAX_SITES:
            self._sites.clear()
            self._answers = answers
        if domain not in self._sites:
            self._sites[domain] = ledger.review_queue.details.site(domain)
        return self._sites[domain]

    def decided(
        self, chosen: ReviewFilter, changes: Sequence[tuple[str, Disposition, Disposition]]
    ) -> None:
        """Update the counts after changes by this page: site, before and after of each match."""
        counts = self._counts.get(chosen)
        self._counts.clear()
        if counts is None:
            return
        self._counts[chosen] = counts
        if chosen.disposition in (None, ANY):
            return
        for domain, before, after in changes:
            by = (after.value == chosen.disposition) - (before.value == chosen.disposition)
            counts.move(domain, by)

    def forget(self) -> None:
        """Drop all counts."""
        self._counts.clear()

    def page(
        self, ledger: Ledger, view: View, counts: QueueCounts, at: MatchKey | None
    ) -> QueuePage:
        """The match at a place with its neighbours; the first one of the queue without a place."""
        current = ledger.review_queue.at(at) if at else None
        if current is None:
            current = next(iter(self.following(ledger, view, counts, None, 1)), None)
        before: tuple[QueuedMatch, ...] = ()
        after: tuple[QueuedMatch, ...] = ()
        if current is not None:
            before = tuple(reversed(self.preceding(ledger, view, counts, current, BEHIND)))
            after = tuple(self.following(ledger, view, counts, current, AHEAD))
        return QueuePage(counts.total, counts.left, current, before, after)

    def following(
        self,
        ledger: Ledger,
        view: View,
        counts: QueueCounts,
        start: QueuedMatch | None,
        most: int,
    ) -> list[QueuedMatch]:
        """The matches of the queue behind one of them; from the first on without one."""
        queue, place = ledger.review_queue, start.place if start else MatchKey()
        if view.order == "picture":
            return queue.of_pictures(view.chosen, place, most)

        def walk() -> Iterator[QueuedMatch]:
            if start is not None:
                yield from queue.of_site(view.chosen, start.domain, place, most)
            for domain in _behind(counts, start):
                yield from queue.of_site(view.chosen, domain, MatchKey(), most)

        return list(islice(walk(), most))

    def preceding(
        self, ledger: Ledger, view: View, counts: QueueCounts, start: QueuedMatch, most: int
    ) -> list[QueuedMatch]:
        """The matches of the queue before one of them, the nearest first."""
        queue = ledger.review_queue
        if view.order == "picture":
            return queue.of_pictures_before(view.chosen, start.place, most)

        def walk() -> Iterator[QueuedMatch]:
            yield from queue.of_site_before(view.chosen, start.domain, start.place, most)
            for domain in _ahead(counts, start):
                yield from queue.of_site_before(view.chosen, domain, _END, most)

        return list(islice(walk(), most))


_END: Final = MatchKey(2**62, "")


def _behind(counts: QueueCounts, start: QueuedMatch | None) -> Iterator[str]:
    """The sites after that of a match that have matches in the queue."""
    at = _index(counts, start.domain) + 1 if start else 0
    return (name for name in counts.order[at:] if counts.sites[name].meant)


def _ahead(counts: QueueCounts, start: QueuedMatch) -> Iterator[str]:
    at = max(0, _index(counts, start.domain))
    return (name for name in reversed(counts.order[:at]) if counts.sites[name].meant)


def _index(counts: QueueCounts, domain: str) -> int:
    try:
        return counts.order.index(domain)
    except ValueError:  # the site has no match that the filter selects
        return -1


def resolve(ledger: Ledger, name: MatchId | None) -> MatchKey | None:
    """The key of the match with an id from an address or a form; None without one."""
    if name is None:
        return None
    keys = ledger.review_queue.keys_of(name.picture_id)
    return next((MatchKey(name.picture_id, key) for key in keys if name.names(key)), None)
