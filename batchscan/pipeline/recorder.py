"""Recording outcomes in the ledger, the tally and results.jsonl, and passing them to the caller."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import msgspec

from batchscan.ledger import Ledger, LedgerThread
from batchscan.model import Failed, Outcome, Rejected
from batchscan.results import Line, ResultLine, answer_of, bare_line_of, with_matches
from batchscan.results_writer import ResultsWriter
from batchscan.runs.answer_lines import without_answer
from batchscan.tally import Tally
from batchscan.util.escaping import printable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recorded:
    """The ledger's numbers of what was recorded for a file."""

    answer_id: int | None = None
    line: int | None = None


# Other writes that belong into the transaction of a file's line.
ExtraWrites = Callable[[Ledger], Recorded]


class Recorder:
    """Records outcomes; first in the ledger, so that a killed run's files can be rebuilt."""

    def __init__(
        self,
        run_id: str,
        ledger: LedgerThread | None,
        tally: Tally,
        results: ResultsWriter,
        outcomes: asyncio.Queue[Outcome | None],
        *,
        sandbox: bool,
    ) -> None:
        """Record for a run; a dry run has no ledger, and writes to its folder only."""
        self.run_id = run_id
        self._sandbox = sandbox
        self._ledger = ledger
        self._tally = tally
        self._results = results
        self._outcomes = outcomes
        self._writing = asyncio.Lock()
        self._unwritten: list[Line] = []  # at most one a worker, and a block of the walk

    async def record(self, outcome: Outcome, also: ExtraWrites | None = None) -> None:
        """Record one decided file.

        Raises:
            StorageError: the ledger or results.jsonl cannot be written.
        """
        line = self.bare_line(outcome)
        try:
            await self.commit(line, also)
        finally:  # even if the ledger fails: tally and results.jsonl can still be right
            await self.publish(outcome, with_matches(line, answer_of(outcome)))

    async def commit(self, line: ResultLine, also: ExtraWrites | None = None) -> Recorded:
        """Write a file's line into the ledger, with the other writes of its transaction.

        Raises:
            StorageError: the ledger cannot be written.
        """
        if self._ledger is None:
            return Recorded()
        bare = without_answer(line)

        def decide(ledger: Ledger) -> Recorded:
            recorded = also(ledger) if also else Recorded()
            number = ledger.runs.add_outcome(self.run_id, bare, recorded.answer_id)
            return replace(recorded, line=number)

        return await self._ledger.run(decide)

    async def record_all(self, outcomes: Sequence[Outcome]) -> None:
        """Record many files without other writes in one transaction.

        Raises:
            StorageError: the ledger or results.jsonl cannot be written.
        """
        if not outcomes:
            return
        lines = [self.bare_line(outcome) for outcome in outcomes]
        if self._ledger is not None:
            bare = [without_answer(line) for line in lines]

            def decide(ledger: Ledger) -> None:
                for line in bare:
                    ledger.runs.add_outcome(self.run_id, line)

            await self._ledger.run(decide)
        with_theirs = zip(lines, map(answer_of, outcomes), strict=True)
        await self._publish_all(
            outcomes, [with_matches(line, answer) for line, answer in with_theirs]
        )

    async def publish(self, outcome: Outcome, line: Line) -> None:
        """Publish an outcome to tally, results.jsonl and the caller.

        Raises:
            StorageError: results.jsonl cannot be written.
        """
        await self._publish_all([outcome], [line])

    async def _publish_all(self, outcomes: Sequence[Outcome], lines: Sequence[Line]) -> None:
        self._unwritten.extend(lines)
        for outcome in outcomes:
            self._tally.record(outcome)
            if log.isEnabledFor(logging.DEBUG):
                log.debug("%s %s", outcome.status, printable(outcome.subject.path))
            if isinstance(outcome, Failed):
                path = printable(outcome.subject.path)
                log.info("failed (%s): %s: %s", outcome.reason, path, printable(outcome.detail))
        async with self._writing:  # the first task writes the lines of all that wait
            unwritten, self._unwritten = self._unwritten, []
            if unwritten:
                await self._results.write(unwritten)
        for outcome in outcomes:
            await self._outcomes.put(outcome)

    def rejection_line(self, outcome: Rejected) -> bytes:
        """The JSON line of a rejection, stored with its file for `batchscan export`."""
        return msgspec.json.encode(self.bare_line(outcome))

    def bare_line(self, outcome: Outcome) -> ResultLine:
        """The line of an outcome, without the matches."""
        return bare_line_of(outcome, self.run_id, sandbox=self._sandbox)
