"""What the ledger knows of a content, of which a long answer is only read when it has its turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from batchscan.ledger import KnownPicture, Ledger, LedgerThread
from batchscan.ledger.known_pictures import FoundContent
from batchscan.model import Image
from batchscan.pipeline.long_answers import LONG_STORED, LongAnswers


@dataclass(frozen=True, slots=True)
class Lookup:
    """Looks contents up; whoever asked releases what came, and before it waits for others."""

    ledger: LedgerThread
    long_answers: LongAnswers
    dry_run: bool

    async def known(self, image: Image) -> KnownPicture:
        """What is known of a file's content; its fingerprint is kept."""
        return await self._known(image, self._find)

    async def known_by_sent(self, image: Image) -> KnownPicture:
        """What is known of another content, for which the same bytes were sent."""
        return await self._known(image, _find_by_sent)

    def let_go(self, image: Image, known: KnownPicture) -> KnownPicture:
        """What is still of use where the answer will not do: all but what it says."""
        self.release(image)
        return known.without_matches()

    def release(self, image: Image) -> None:
        """Let another file have its turn, if it is this one's."""
        self.long_answers.release(image.path)

    async def _known(
        self, image: Image, find: Callable[[Image, Ledger], FoundContent]
    ) -> KnownPicture:
        known = await self.ledger.run(partial(_read_short, image, find))
        if known is None:
            await self.long_answers.take(image.path)
            known = await self.ledger.run(
                lambda ledger: ledger.known.read(find(image, ledger), image.path)
            )
        return known

    def _find(self, image: Image, ledger: Ledger) -> FoundContent:
        if image.fingerprint is not None and not self.dry_run:
            ledger.renditions.keep(image.sha256, image.fingerprint)
        return ledger.known.find(image.sha256)


def _find_by_sent(image: Image, ledger: Ledger) -> FoundContent:
    return ledger.known.find_by_sent(image)


def _read_short(
    image: Image, find: Callable[[Image, Ledger], FoundContent], ledger: Ledger
) -> KnownPicture | None:
    """None if the answer is long."""
    found = find(image, ledger)
    if ledger.known.body_size(found) > LONG_STORED:
        return None
    return ledger.known.read(found, image.path)
