"""The journal of the emulator: one entry for each request, for tests and for users."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from batchscan.emulator.fault_actions import Action
from batchscan.emulator.uploads import UploadForm

Route = Literal["login", "check", "credits", "web"]


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A request and its result."""

    at: float  # seconds since the emulator started, when the request's headers had come
    route: Route
    scan_id: str | None
    sha256: str | None  # of the picture; None if it did not arrive whole
    file_name: str | None
    status: int | Literal["reset", "hang"]
    charged: int  # credits
    sandbox: bool


class RequestTotals(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of all requests, including entries that the journal has dropped."""

    requests: dict[str, int]  # by route
    statuses: dict[str, int]
    charged: int  # credits
    balance: int


class Journal:
    """The newest entries, in the order of the decisions."""

    def __init__(self, length: int) -> None:
        self._entries: deque[JournalEntry] = deque(maxlen=length)
        self._routes: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()
        self._charged = 0

    def add(self, entry: JournalEntry) -> None:
        """Add an entry."""
        self._entries.append(entry)
        self._routes[entry.route] += 1
        self._statuses[str(entry.status)] += 1
        self._charged += entry.charged

    @property
    def entries(self) -> list[JournalEntry]:
        """All entries, the oldest first."""
        return list(self._entries)

    def of(self, route: Route) -> list[JournalEntry]:
        """The entries of one route."""
        return [entry for entry in self._entries if entry.route == route]

    def lines(self) -> bytes:
        """All entries as JSON lines."""
        return msgspec.json.Encoder().encode_lines(list(self._entries))

    def stats(self, balance: int) -> RequestTotals:
        """The totals; `balance` is the account's credits now."""
        return RequestTotals(
            requests=dict(self._routes),
            statuses=dict(self._statuses),
            charged=self._charged,
            balance=balance,
        )

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[JournalEntry]:
        return iter(list(self._entries))


@dataclass(slots=True)
class RequestRecord:
    """A request that is being handled."""

    route: Route
    at: float  # seconds since the emulator started
    journal: Journal
    scan_id: str | None = None
    actions: list[Action] = field(default_factory=list)
    upload: UploadForm | None = None
    charged: int = 0
    _written: bool = False

    def close(self, status: int | Literal["reset", "hang"]) -> None:
        """Write the journal's entry, once; before the client can know the answer."""
        if self._written:
            return
        self._written = True
        upload = self.upload
        self.journal.add(
            JournalEntry(
                at=round(self.at, 6),
                route=self.route,
                scan_id=self.scan_id,
                sha256=upload.sha256 if upload else None,
                file_name=upload.file_name if upload else None,
                status=status,
                charged=self.charged,
                sandbox=upload is not None and upload.sandbox,
            )
        )
