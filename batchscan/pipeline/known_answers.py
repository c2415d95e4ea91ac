"""Reading a content's answer from the ledger; a long one is only read when it has its turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from batchscan.engines.vendor_mapping import LONG_ANSWER
from batchscan.ledger import KnownPicture, Ledger, LedgerThread, StoredAnswer
from batchscan.ledger.known_pictures import FoundContent
from batchscan.model import Answer, Image, TrackedMatch
from batchscan.pipeline.long_answers import LONG_STORED, LongAnswers
from batchscan.runs.answer_lines import read_again
from batchscan.runs.rebuild import with_history


@dataclass(frozen=True, slots=True)
class Lookup:
    """Looks contents up; the caller releases each result, before it waits for other contents."""

    ledger: LedgerThread
    dry_run: bool
    sandbox: bool
    long_answers: LongAnswers = field(default_factory=LongAnswers)

    async def known(self, image: Image) -> KnownPicture:
        """Look up a file's content; its fingerprint is stored."""
        return await self._known(image, self._find)

    async def known_by_sent(self, image: Image) -> KnownPicture:
        """Look up another content for which the same bytes were sent."""
        return await self._known(image, _find_by_sent)

    def let_go(self, image: Image, known: KnownPicture) -> KnownPicture:
        """Release an answer that cannot be used; returns the rest of what is known."""
        self.release(image.path)
        return known.without_matches()

    async def answer(self, answer_id: int, path: str) -> Answer | None:
        """A stored answer with its history, for the file at `path`; None if there is none."""
        read = partial(_stored, answer_id)
        if await self.ledger.run(lambda ledger: ledger.known.body_size(answer_id)) > LONG_STORED:
            await self.long_answers.take(path)
        stored, history = await self.ledger.run(read)
        if stored is None:
            return None

        def parse() -> Answer:
            return with_history(read_again(stored, sandbox=self.sandbox), history)

        return await asyncio.to_thread(parse) if len(stored.body) >= LONG_ANSWER else parse()

    def release(self, path: str) -> None:
        """Let another file have its turn, if it is this one's."""
        self.long_answers.release(path)

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
    content = find(image, ledger)
    if ledger.known.body_size(content.answer_id) > LONG_STORED:
        return None
    return ledger.known.read(content, image.path)


def _stored(
    answer_id: int, ledger: Ledger
) -> tuple[StoredAnswer | None, Mapping[str, TrackedMatch]]:
    stored = ledger.known.answer(answer_id)
    return stored, ledger.history.matches_of(stored.picture_id) if stored else {}
