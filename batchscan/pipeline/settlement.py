"""Settling a paid answer: store it verbatim, then parse it, then enter its matches.

Once it is stored, the picture is not sent again: if parsing or entering fails, the next run does
that again at no cost.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace

from batchscan.copyleaks.responses import READER
from batchscan.engines.interface import Success
from batchscan.engines.vendor_mapping import LONG_ANSWER, parse_answer, unread_answer
from batchscan.errors import StorageError
from batchscan.ledger import Ledger, LedgerThread
from batchscan.model import Answer, Claim, Effort, Failed, Image, Scanned
from batchscan.pipeline.long_answers import LongAnswers
from batchscan.pipeline.outcomes import subject_of, unreadable
from batchscan.pipeline.recorder import Recorded, Recorder
from batchscan.pipeline.shutdown import Shutdown
from batchscan.results import Line, ResultLine, with_matches
from batchscan.runs.answer_lines import with_problem, without_answer
from batchscan.runs.rebuild import with_history
from batchscan.runs.rescued_answers import rescue
from batchscan.util.escaping import printable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settled:
    """A paid answer that is stored, and its content as far as it can be read."""

    outcome: Scanned | Failed
    answer: Answer
    picture_id: int
    answer_id: int | None  # None if the ledger could not store it: it was saved elsewhere
    line: Line


@dataclass(slots=True)
class Settler:
    """Stores paid answers durably before doing anything else with them."""

    ledger: LedgerThread
    recorder: Recorder
    stop: Shutdown
    run_folder: str
    sandbox: bool
    long_answers: LongAnswers  # that are parsed and recorded
    long_bodies: LongAnswers  # that are received and stored

    async def settle(self, image: Image, claim: Claim, effort: Effort, reply: Success) -> Settled:
        """Store an answer, then parse it; does not raise for a bad answer or a full disk.

        A long one takes its turn (`long_answers`), which the caller releases, and ends the one
        in which it was stored.
        """
        nothing = Answer(b"", reply.received_at, None, None, None, ())
        bare = self.recorder.bare_line(Scanned(subject_of(image), effort, nothing))
        stored = await self._keep(image, claim, bare, reply)
        if len(reply.body) < LONG_ANSWER:
            return await self._read(image, claim, effort, reply, bare, stored)
        if stored.answer_id is not None:
            reply.body = b""  # stored in the ledger; many may wait here for their turn
        self.long_bodies.release(image.path)
        await self.long_answers.take(image.path)
        return await self._read(image, claim, effort, reply, bare, stored)

    async def _keep(self, image: Image, claim: Claim, bare: ResultLine, reply: Success) -> Recorded:
        """Store the body verbatim in the ledger, or else in the run's folder."""
        long = len(reply.body) >= LONG_ANSWER

        def settle(ledger: Ledger) -> Recorded:
            run_id = self.recorder.run_id
            answer_id = ledger.claims.settle(
                claim, reply.body, reply.received_at, run_id, attempts=long
            )
            ledger.files.upsert(image.path, image.stat, picture_id=claim.picture_id)
            ledger.report_pictures.add(claim.picture_id, image.path, fresh=True)
            return Recorded(answer_id)

        try:
            return await self.recorder.commit(bare, settle)
        except Exception as error:  # noqa: BLE001 - the answer is paid for: save it elsewhere
            where = await asyncio.to_thread(
                rescue, self.run_folder, claim, reply.body, reply.received_at
            )
            self._stop_because(error, f"a paid answer was saved to {where}")
            return Recorded()

    async def _read(
        self,
        image: Image,
        claim: Claim,
        effort: Effort,
        reply: Success,
        bare: ResultLine,
        stored: Recorded,
    ) -> Settled:
        """Parse the stored answer and enter it; after an error the next run does that again."""

        def read() -> Answer:
            return parse_answer(reply.body, reply.received_at, claim.scan_id, sandbox=self.sandbox)

        try:
            reply.body = reply.body or await self._body(stored)
            long = len(reply.body) >= LONG_ANSWER
            answer = await asyncio.to_thread(read) if long else read()
            line = with_problem(bare, answer)
            if stored.answer_id is not None:
                answer = await self._enter(claim, answer, stored, line)
        except Exception as error:  # noqa: BLE001 - it is stored; the next run reads it again
            answer = await self._leave(reply, image, error, stored, bare)
            line = with_problem(bare, answer)
        # An error from here on ends the run; the next one rebuilds the line from the ledger.
        subject = subject_of(image)
        if answer.trouble is None:
            outcome: Scanned | Failed = Scanned(subject, effort, answer)
        else:
            outcome = unreadable(subject, effort, answer)
        entry = with_matches(line, answer)
        return Settled(outcome, answer, claim.picture_id, stored.answer_id, entry)

    async def _body(self, recorded: Recorded) -> bytes:
        stored = await self.ledger.run(lambda ledger: ledger.known.answer(recorded.answer_id))
        return stored.body if stored else b""

    async def _enter(
        self, claim: Claim, answer: Answer, stored: Recorded, line: ResultLine
    ) -> Answer:
        """Enter an answer's matches; returns the answer with their history."""
        answer_id, run_id = stored.answer_id, self.recorder.run_id
        assert answer_id is not None  # noqa: S101 - checked by the caller

        def enter(ledger: Ledger) -> Answer:
            first = ledger.readings.enter(answer_id, answer, READER, run_id)
            if answer.trouble is not None and stored.line is not None:
                ledger.runs.decided_otherwise(stored.line, without_answer(line))
            if first:
                placed = ledger.history.placed_first(claim.picture_id, answer.matches)
                return replace(answer, matches=placed)
            return with_history(answer, ledger.history.matches_of(claim.picture_id))

        return await self.ledger.run(enter)

    async def _leave(
        self, reply: Success, image: Image, error: Exception, stored: Recorded, bare: ResultLine
    ) -> Answer:
        """Leave a stored answer to be read by the next run."""
        log.warning("reading the answer about %s failed: %r", printable(image.path), error)
        if isinstance(error, StorageError):
            self.stop.request(error)
        answer = unread_answer(reply.body, reply.received_at, error)
        line = without_answer(with_problem(bare, answer))

        def leave(ledger: Ledger) -> None:
            if stored.line is not None and stored.answer_id is not None:
                ledger.readings.leave(stored.answer_id)
                ledger.runs.decided_otherwise(stored.line, line)

        try:
            await self.ledger.run(leave)
        except StorageError as unwritten:
            self.stop.request(unwritten)
        return answer

    def _stop_because(self, error: Exception, advice: str) -> None:
        if not isinstance(error, StorageError):
            error = StorageError(f"a paid answer could not be kept: {error!r}")
        error.advice = "; ".join(filter(None, (error.advice, advice)))
        self.stop.request(error)
