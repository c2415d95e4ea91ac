"""One request on its way through the emulator, as its journal entry will tell it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from batchscan.emulator.actions import Action
from batchscan.emulator.journal import Entry, Journal, Route
from batchscan.emulator.uploads import Upload


@dataclass(slots=True)
class Visit:
    """What is known of a request so far."""

    route: Route
    at: float  # seconds since the emulator started
    journal: Journal
    scan_id: str | None = None
    actions: list[Action] = field(default_factory=list)
    upload: Upload | None = None
    charged: int = 0
    _written: bool = False

    def close(self, status: int | Literal["reset", "hang"]) -> None:
        """Write the journal's entry, once; before the client can know the answer."""
        if self._written:
            return
        self._written = True
        upload = self.upload
        self.journal.add(
            Entry(
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
