"""What the ledger knows of a content, of which a long answer is only read when it has its turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from batchscan.ledger import UNKNOWN_PICTURE, KnownPicture, Ledger, LedgerThread
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
        return await self._known(image, self._look_up)

    async def known_by_sent(self, image: Image) -> KnownPicture:
        """What is known of another content, for which the same bytes were sent."""
        return await self._known(image, _look_up_by_sent)

    def let_go(self, image: Image, known: KnownPicture) -> KnownPicture:
        """What is still of use where the answer will not do: all but what it says."""
        self.release(image)
        return known.without_matches()

    def release(self, image: Image) -> None:
        """Let another file have its turn, if it is this one's."""
        self.long_answers.release(image.path)

    async def _known(
        self, image: Image, look: Callable[[Image, int | None, Ledger], KnownPicture | None]
    ) -> KnownPicture:
        known = await self.ledger.run(partial(look, image, LONG_STORED))
        if known is None:
            await self.long_answers.take(image.path)
            known = await self.ledger.run(partial(look, image, None))
        return known or UNKNOWN_PICTURE

    def _look_up(self, image: Image, most: int | None, ledger: Ledger) -> KnownPicture | None:
        """None where there are more than so many bytes of an answer."""
        if most is not None and ledger.claims.sizes.of_content(image.sha256) > most:
            return None
        if image.fingerprint is not None and not self.dry_run:
            ledger.renditions.keep(image.sha256, image.fingerprint)
        return ledger.claims.lookup(image.sha256, image.path)


def _look_up_by_sent(image: Image, most: int | None, ledger: Ledger) -> KnownPicture | None:
    if most is not None and ledger.claims.sizes.of_sent(image) > most:
        return None
    return ledger.claims.known_by_sent(image)
