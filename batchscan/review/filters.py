"""The parameters in the page's address: filters, order, and the current match."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl, urlencode

from batchscan.enums import Disposition, MatchKind, MatchState
from batchscan.errors import UsageError
from batchscan.ledger.match_rows import MatchKey
from batchscan.ledger.review import ANY, PRESENT_STATE, ReviewFilter
from batchscan.settings.units import parse_duration
from batchscan.util.escaping import printable, replace_surrogates
from batchscan.util.urls import ascii_host

MAX_FIELDS: Final = 20
ORDERS: Final = ("site", "picture")
DISPOSITIONS: Final = (*(word.value for word in Disposition), ANY)
KINDS: Final = tuple(kind.value for kind in MatchKind)
STATES: Final = (PRESENT_STATE, *(state.value for state in MatchState), ANY)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ID: Final = re.compile(r"([0-9]{1,18})-([0-9a-f]{16})")


@dataclass(frozen=True, slots=True)
class MatchId:
    """The id of a match in addresses and forms: its picture's id and a hash."""

    picture_id: int
    digest: str

    @classmethod
    def of(cls, place: MatchKey) -> MatchId:
        """The name of a place."""
        return cls(place.picture_id, _digest(place.key))

    @classmethod
    def parse(cls, text: str) -> MatchId | None:
        """Parse an id; None for an invalid one."""
        match = _ID.fullmatch(text)
        return cls(int(match[1]), match[2]) if match else None

    def names(self, key: str) -> bool:
        """Whether this is its picture's match with this normalized URL."""
        return _digest(key) == self.digest

    def __str__(self) -> str:
        return f"{self.picture_id}-{self.digest}"


def _digest(key: str) -> str:
    return hashlib.blake2b(key.encode(errors="surrogatepass"), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class View:
    """The filters and position of a queue."""

    chosen: ReviewFilter = field(default_factory=ReviewFilter)
    order: str = "site"
    since: str = ""  # as it was written
    at: MatchId | None = None

    @classmethod
    def parse(cls, query: str) -> View:
        """Parse the query of an address; unknown names are ignored.

        Raises:
            UsageError: a value is not allowed.
        """
        try:
            pairs = parse_qsl(query, errors="surrogateescape", max_num_fields=MAX_FIELDS)
        except ValueError as error:
            raise UsageError("the address has too many fields") from error
        fields = {name: value for name, value in pairs if value}
        text = fields.get("q")
        since = fields.get("since", "")
        folder = fields.get("folder")
        site = fields.get("site")
        return cls(
            ReviewFilter(
                disposition=_one_of("disposition", fields, DISPOSITIONS, Disposition.OPEN.value),
                site=None if site is None else _site(site),
                folder=None if folder is None else os.fsencode(folder),
                kind=_one_of("kind", fields, (*KINDS, ANY), None),
                state=_one_of("state", fields, STATES, PRESENT_STATE) or PRESENT_STATE,
                since=_instant(since) if since else None,
                text=None if text is None else replace_surrogates(text),
            ),
            _one_of("by", fields, ORDERS, "site") or "site",
            since,
            MatchId.parse(fields.get("at", "")),
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether there are filters other than the default one."""
        return self.chosen != ReviewFilter()

    @property
    def names(self) -> list[str]:
        """The filters except the search, as text."""
        chosen, fixed = self.chosen, self.chosen.disposition != Disposition.OPEN.value
        words = [(chosen.disposition or ANY).replace("_", " ")] if fixed else []
        words += [chosen.kind] if chosen.kind else []
        words += [chosen.state] if chosen.state != PRESENT_STATE else []
        words += (
            ["no site" if chosen.site == "" else chosen.site] if chosen.site is not None else []
        )
        words += [os.fsdecode(chosen.folder)] if chosen.folder is not None else []
        words += [f"since {self.since}"] if self.since else []
        return words

    def at_match(self, place: MatchKey | None) -> View:
        """The same queue at another match."""
        return replace(self, at=None if place is None else MatchId.of(place))

    def query(self, **changed: str | None) -> str:
        """This as the query of an address, with some fields changed."""
        chosen = self.chosen
        fields = {
            "by": None if self.order == "site" else self.order,
            "site": NO_SITE if chosen.site == "" else chosen.site,
            "folder": None if chosen.folder is None else os.fsdecode(chosen.folder),
            "kind": chosen.kind,
            "state": None if chosen.state == PRESENT_STATE else chosen.state,
            "disposition": (
                None if chosen.disposition == Disposition.OPEN.value else chosen.disposition
            ),
            "since": self.since or None,
            "q": chosen.text,
            "at": None if self.at is None else str(self.at),
            **changed,
        }
        given = {name: value for name, value in fields.items() if value}
        return urlencode(given, errors="surrogateescape")


NO_SITE: Final = "-"
"""How addresses name the site of matches whose URL has none."""


def _site(text: str) -> str:
    return "" if text == NO_SITE else ascii_host(replace_surrogates(text.strip()))


def _one_of(
    name: str, fields: Mapping[str, str], allowed: tuple[str, ...], otherwise: str | None
) -> str | None:
    value = fields.get(name)
    if value is None:
        return otherwise
    if value not in allowed:
        raise UsageError(
            f"{name}: found '{printable(value[:100])}'; allowed: {', '.join(allowed)}",
            advice="correct the address, or begin again without filters",
        )
    return None if value == ANY and name == "kind" else value


def _instant(text: str) -> float:
    """The instant that a day or a duration before now means."""
    try:
        if _DAY.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
        return time.time() - parse_duration(text)
    except (ValueError, OverflowError):
        raise UsageError(
            f"since: found '{printable(text[:100])}'; allowed: a day such as 2026-11-01, or how"
            " long ago, such as 30d",
            advice="correct the address, or begin again without filters",
        ) from None
