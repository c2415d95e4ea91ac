"""Decisions of people about matches: what is chosen, decided, and the result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from batchscan.enums import Disposition
from batchscan.ledger.match_rows import FIRST_MATCH, MatchKey
from batchscan.ledger.perspective import Allows


@dataclass(frozen=True, slots=True)
class Choice:
    """A selection of matches by site, URL, picture and disposition."""

    domain: str | None  # the registrable domain that all of them share, if they do
    chosen: Callable[[str], bool]  # whether a URL is selected
    pictures: Callable[[Sequence[bytes]], bool] | None = None  # by a picture's paths; None for all
    only: Disposition | None = None  # only matches with this disposition
    only_present: bool = False  # without those that are gone
    is_gone: Callable[[MatchKey], bool] | None = None  # gone by a later answer of their site
    allows: Allows | None = None  # allowed matches are excluded


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's decision about the matches of a choice."""

    disposition: Disposition
    at: float  # seconds since 1970
    who: str = ""  # the user's name
    about: str = ""  # the site or URL as the user typed it
    note: str | None = None
    force: bool = False  # whether to overwrite any other decision

    def replaces(self, before: Disposition) -> bool:
        """Whether a match with the disposition `before` is changed by this decision.

        Steps forward from `open` over `reviewed` and `noticed` to `removed` are allowed; any other
        change reverses a decision and needs `force`.
        """
        return self.force or before in _FOLLOWS.get(self.disposition, _UNDECIDED)


_UNDECIDED: Final = frozenset({Disposition.OPEN})
_FOLLOWS: Final = {
    Disposition.NOTICED: _UNDECIDED | {Disposition.REVIEWED},
    Disposition.REMOVED: _UNDECIDED | {Disposition.REVIEWED, Disposition.NOTICED},
}


class SeenMatch(NamedTuple):
    """A match, and its disposition when the user saw it."""

    place: MatchKey
    disposition: Disposition


class Batch(NamedTuple):
    """Decisions that were made together."""

    number: int
    at: float
    who: str
    disposition: Disposition
    about: str
    note: str | None


@dataclass(slots=True)
class MarkResult:
    """The matches that were marked, by what they were before."""

    before: Counter[Disposition] = field(default_factory=Counter)
    needs_force: Counter[Disposition] = field(default_factory=Counter)  # not changed without it
    excluded: Counter[str] = field(default_factory=Counter)  # from the choice, by reason
    pictures: int = 0
    last_picture: int = 0
    reached: MatchKey | None = FIRST_MATCH  # the last match that was read; None at the end
    batch: int | None = None  # id of the decisions' batch, once there is one

    @property
    def matches(self) -> int:
        """How many were changed."""
        return self.before.total()

    def add(self, picture_id: int, before: Disposition) -> None:
        """Count a match; those of one picture must follow each other."""
        self.before[before] += 1
        self.pictures += picture_id != self.last_picture
        self.last_picture = picture_id


@dataclass(slots=True)
class SeenResult:
    """The result of a decision about matches that a user saw."""

    batch: int | None = None  # id of the decisions' batch; None if nothing was written
    changed: dict[MatchKey, Disposition] = field(default_factory=dict)  # by what they were before
    noted: int = 0  # those with this disposition already, which got the note
    conflicts: dict[MatchKey, Disposition] = field(
        default_factory=dict
    )  # changed since they saw it
    unknown: int = 0  # not in the ledger
