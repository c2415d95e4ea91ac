"""The statistics as one type, for `batchscan stats --json` and the pages.

A match is *found* when an answer first showed it. *Reviewed*, *not mine*, *noticed* and *removed*
count decisions, when they were made; one that was taken back does not count. *Days to removal* are
those from a match's `noticed` to its `removed`, as the median. Times are UTC.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from statistics import median
from typing import Literal

import msgspec

from batchscan.allow import AllowRules
from batchscan.allow.active import ActiveAllowRules
from batchscan.allow.scope import scope_of
from batchscan.ledger import Ledger
from batchscan.ledger.activity import DAY, Activity, DayCount
from batchscan.report.wording import money_of
from batchscan.stats.periods import By, label_of, periods, start_of
from batchscan.util.escaping import path_fields, replace_surrogates
from batchscan.util.timestamps import rfc3339, utc_date

SCHEMA: Literal[1] = 1
NO_RULES = AllowRules()
MAX_PLACES = 20  # sites, and folders, that are named
_COUNTED = ("found", "reviewed", "not_mine", "noticed", "removed", "credits", "unanswered")


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Matches that were found and decided, and what was paid."""

    found: int = 0
    reviewed: int = 0
    not_mine: int = 0
    noticed: int = 0
    removed: int = 0
    credits: int = 0
    money: str | None = None  # what those cost, as 3.00 EUR; None without `spend.credit_price`
    unanswered: int = 0  # sends that may have been charged without an answer
    days_to_removal: float | None = None  # the median; None if nothing was removed


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """A week or a month."""

    start: str  # its first day: 2026-11-23
    label: str  # 2026-W48, 2026-11
    counts: Counts


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A site, or a folder of pictures."""

    name: str
    found: int
    worklist: int  # matches that are there and not allowed, to decide or to act on
    reviewed: int
    not_mine: int
    noticed: int
    removed: int
    days_to_removal: float | None


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """The statistics of one realm of a ledger over time."""

    schema: Literal[1] = SCHEMA
    made_at: str
    by: By
    sandbox: bool
    credit_price: str | None = None  # what a credit costs, as 0.01 EUR
    total: Counts
    earlier: Counts | None  # what is older than the periods; None if nothing is
    periods: list[Period]  # without a gap, the oldest first
    sites: list[Place]  # those with most matches found first
    more_sites: int  # that are not named
    folders: list[Place]  # a picture counts in the folder of one of its files
    more_folders: int


@dataclass(slots=True)
class _Sums:
    """The sums for a period or a place."""

    words: Counter[str] = field(default_factory=Counter)
    days: array[float] = field(default_factory=lambda: array("d"))

    def add(self, other: _Sums) -> None:
        """Add another one's figures."""
        self.words.update(other.words)
        self.days.extend(other.days)

    def counts(self, price: str | None) -> Counts:
        """The counts as they are shown; `price` is that of a credit, None if it is not set."""
        return Counts(
            **{name: self.words[name] for name in _COUNTED},
            money=None if price is None else money_of(self.words["credits"], price),
            days_to_removal=_median(self.days),
        )

    def place(self, name: str) -> Place:
        """The counts as they are shown for a place."""
        words = ("found", "worklist", "reviewed", "not_mine", "noticed", "removed")
        counts = {word: self.words[word] for word in words}
        return Place(name=name, **counts, days_to_removal=_median(self.days))


def statistics(
    ledger: Ledger,
    by: By,
    now: float,
    credit_price: str | None = None,
    rules: AllowRules = NO_RULES,
) -> Statistics:
    """Compute the statistics of a ledger, inside a transaction.

    Args:
        ledger: the ledger.
        by: into what time is parted.
        now: seconds since 1970; what a wrong clock dated later counts as of now.
        credit_price: what a credit costs, as `0.01 EUR`; None if it is not set.
        rules: those for copies that may stay, which are not on the worklist.
    """
    _note_allowed(ledger, ActiveAllowRules(rules, utc_date(now)))
    activity = ledger.activity
    today = int(now // DAY)
    in_time: defaultdict[date, _Sums] = defaultdict(_Sums)
    for day_count in _days(activity):
        in_time[start_of(min(day_count.day, today), by)].words[day_count.word] += day_count.number
    sites: defaultdict[str, _Sums] = defaultdict(_Sums)
    for site in activity.by_site():
        sites[site.name].words[site.word] += site.number
    folder_of = dict(activity.folders())
    folders: defaultdict[str, _Sums] = defaultdict(_Sums)
    for picture_id, word, number in activity.by_picture():
        folders[folder_of.get(picture_id, "")].words[word] += number
    for removal in activity.removals():
        day = min(int(removal.at // DAY), today)
        in_time[start_of(day, by)].days.append(removal.days)
        sites[removal.domain].days.append(removal.days)
        folders[folder_of.get(removal.picture_id, "")].days.append(removal.days)
    shown, earlier = _periods(in_time, start_of(today, by), by, credit_price)
    return Statistics(
        made_at=rfc3339(now),
        by=by,
        sandbox=ledger.realm.sandbox,
        credit_price=credit_price,
        total=_total(in_time.values()).counts(credit_price),
        earlier=earlier,
        periods=shown,
        sites=_places({replace_surrogates(name): sums for name, sums in sites.items()}),
        more_sites=max(0, len(sites) - MAX_PLACES),
        folders=_places({path_fields(name)[0]: sums for name, sums in folders.items()}),
        more_folders=max(0, len(folders) - MAX_PLACES),
    )


def _note_allowed(ledger: Ledger, active: ActiveAllowRules) -> None:
    allowed = ledger.review_queue.allowed
    allowed.clear()
    allowed.add(active.allows, scope_of(AllowRules(active.in_force)))


def _days(activity: Activity) -> Iterable[DayCount]:
    yield from activity.found()
    yield from activity.decided()
    yield from activity.charged()


def _periods(
    in_time: Mapping[date, _Sums], current: date, by: By, price: str | None
) -> tuple[list[Period], Counts | None]:
    if not in_time:
        return [], None
    starts = list(periods(min(in_time), current, by))
    shown = [
        Period(
            start=start.isoformat(),
            label=label_of(start, by),
            counts=in_time.get(start, _Sums()).counts(price),
        )
        for start in starts
    ]
    before = _total(sums for start, sums in in_time.items() if start < starts[0])
    return shown, before.counts(price) if before.words else None


def _total(parts: Iterable[_Sums]) -> _Sums:
    total = _Sums()
    for sums in parts:
        total.add(sums)
    return total


def _places(sums_by_name: Mapping[str, _Sums]) -> list[Place]:
    places = [sums.place(name) for name, sums in sums_by_name.items()]
    places.sort(key=lambda place: (-place.found, place.name))
    return places[:MAX_PLACES]


def _median(days: array[float]) -> float | None:
    return round(median(days), 1) if days else None
