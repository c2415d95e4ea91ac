"""The parts shared by all pages: ledger, queues, pictures and actions."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from batchscan.commands.capture import CaptureOptions
from batchscan.ledger import Ledger
from batchscan.ledger.review import ReviewFilter
from batchscan.review.actions import Actions
from batchscan.review.jobs import BackgroundJobs
from batchscan.review.ledger_access import ReviewLedger
from batchscan.review.packs import Packs
from batchscan.review.pictures import OwnPictures
from batchscan.review.queue import QueueCounts, Queues
from batchscan.settings.load import LoadedSettings
from batchscan.web_client import ConnectTo


@dataclass(frozen=True, slots=True)
class Desk:
    """The parts of the page, from its start to its end."""

    ledger: ReviewLedger
    queues: Queues
    pictures: OwnPictures
    actions: Actions
    jobs: BackgroundJobs
    packs: Packs
    options: CaptureOptions
    connect_to: tuple[str, ...]  # other people's sites, in the place of their addresses

    @classmethod
    def of(cls, loaded: LoadedSettings, connect_to: tuple[str, ...] = ()) -> Self:
        """Make the parts for some settings.

        Raises:
            UsageError: there is no home folder, and no state folder is set; or an address cannot
                be understood.
        """
        return cls(
            ReviewLedger(loaded),
            Queues(),
            OwnPictures(),
            Actions(loaded),
            BackgroundJobs(),
            Packs(),
            CaptureOptions(ConnectTo.of(connect_to)),
            connect_to,
        )

    def counts(self, ledger: Ledger, chosen: ReviewFilter, *, exact: bool = True) -> QueueCounts:
        """The counts of a queue; on the ledger's thread."""
        return self.queues.counts(ledger, chosen, self.ledger.generation, exact=exact)

    async def aclose(self) -> None:
        """End background jobs, threads and child processes."""
        await self.jobs.aclose()
        await asyncio.to_thread(self.packs.close)
        await self.ledger.aclose()
        await self.pictures.aclose()


def picture_names(ledger: Ledger, numbers: Sequence[int]) -> dict[int, str]:
    """The names of pictures by their numbers: that of the first file of each."""
    names = {}
    for number in dict.fromkeys(numbers):
        files = ledger.review_queue.details.files(number)
        names[number] = os.path.basename(os.fsdecode(files[0].path)) if files else "picture"
    return names
