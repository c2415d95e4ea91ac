"""Recovering killed runs before a new one starts: their files are made from the ledger."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from batchscan import version
from batchscan.allow.active import ActiveAllowRules, summarize
from batchscan.enums import ExitReason, FailReason, Status
from batchscan.errors import StorageError
from batchscan.ledger import Ledger, LedgerThread, OfRun, OpenClaim, ReportView, StoredRun
from batchscan.model import Answer, Claim, Effort, Failed, Outcome, Scanned, Subject
from batchscan.report.build import build
from batchscan.report.run_folder import REPORT, RESULTS, point_latest, write_report
from batchscan.report.schema import Report, Run
from batchscan.report.schema import encode as encode_report
from batchscan.results import ResultLine, encode, line_of
from batchscan.runs.answer_lines import without_answer
from batchscan.runs.checkpoint import RunCheckpoint
from batchscan.runs.rebuild import rebuild_lines
from batchscan.runs.reports import write_companions
from batchscan.runs.rescued_answers import RescuedAnswer, rescued
from batchscan.runs.unchecked import UNCHECKED, found_again, some_of_each, write_unchecked
from batchscan.runs.unread_answers import give_up, read_unread_answers
from batchscan.state.lock import make_private_folder
from batchscan.tally import Tally
from batchscan.util.atomic_file import write_atomic
from batchscan.util.timestamps import elapsed, rfc3339

WAS_KILLED = "the run was killed; what it had decided was taken from the ledger"
WHEN_KILLED = "the run was killed while this picture was being sent; it is asked again"
# Exit reasons of runs that were left open after a disk error, a bug or a list of files that is
# none, or after a signal as well.
_LEFT_OPEN = (
    ExitReason.STORAGE,
    ExitReason.INTERNAL_ERROR,
    ExitReason.USAGE,
    ExitReason.INTERRUPTED,
)
log = logging.getLogger(__name__)


async def recover_killed_runs(
    ledger: LedgerThread,
    allowing: ActiveAllowRules,
    *,
    sandbox: bool,
    now: float,
    newest: bool = True,
) -> None:
    """Take in rescued answers, make each killed run's files, and close it.

    A run stays open if its folder cannot be written, or if the possible cost of its requests
    without an answer is not known yet.

    Args:
        ledger: the ledger.
        allowing: the allow rules.
        sandbox: whether its answers are mock ones.
        now: seconds since 1970.
        newest: whether no run has ended since, so that `latest` may point to a killed one.

    Raises:
        StorageError: the ledger cannot be read or written.
    """
    await ledger.run(give_up)
    await ledger.run(lambda ledger: settle_killed_runs(ledger, allowing, sandbox=sandbox, now=now))
    await read_unread_answers(ledger, sandbox=sandbox)
    begun = await ledger.run(lambda ledger: ledger.readings.begin_lines())
    try:
        await ledger.run(
            lambda ledger: make_files(ledger, allowing, sandbox=sandbox, now=now, newest=newest)
        )
    except MemoryError:  # counts as a crash: the next run may have no more memory
        raise
    except Exception:
        await ledger.run(lambda ledger: ledger.readings.ended(begun))
        raise
    await ledger.run(lambda ledger: ledger.readings.ended(begun))


def settle_killed_runs(
    ledger: Ledger, allowing: ActiveAllowRules, *, sandbox: bool, now: float
) -> None:
    """Settle the open claims of killed runs, by their rescued answers or as possibly charged."""
    for run in ledger.runs.unclosed():
        _KilledRun(ledger, run, allowing, sandbox=sandbox).settle(now)


def make_files(
    ledger: Ledger, allowing: ActiveAllowRules, *, sandbox: bool, now: float, newest: bool = True
) -> None:
    """Make the files of killed runs, and close those with a known cost."""
    for run in ledger.runs.unclosed():
        killed = _KilledRun(ledger, run, allowing, sandbox=sandbox)
        try:
            killed.make_files(now, newest=newest)
        except StorageError as error:
            log.warning("the killed run %s stays open: %s", run.run_id, error)
        else:
            log.info("made the files of the killed run %s", run.run_id)


class KilledRunCheckpoint(RunCheckpoint, frozen=True):
    """The checkpoint of a run that stays open after its claims were settled."""

    outcome_unknown: int | None = None  # credits; None before settling, or without a price


class _KilledRun:
    def __init__(
        self, ledger: Ledger, run: StoredRun, allowing: ActiveAllowRules, *, sandbox: bool
    ) -> None:
        self._ledger = ledger
        self._allow_rules = allowing
        self._run = run
        self._sandbox = sandbox
        self._checkpoint = msgspec.json.decode(run.facts, type=KilledRunCheckpoint)
        self._tally = Tally()
        self.reported_runs = (run.run_id, *self._checkpoint.news_of)

    def settle(self, now: float) -> None:
        """Settle open claims: by rescued answers, or as possibly charged."""
        answers = {answer.scan_id: answer for answer in rescued(self._run.folder)}
        for claim in self._ledger.claims.open_claims(self._run.run_id):
            saved = answers.get(claim.scan_id)
            if saved is not None:
                self._settle_rescued(claim, saved)
            elif claim.under_way:
                self._ledger.claims.mark_unanswered(_claim(claim), now)
                effort = _effort(claim, now)
                self._decide(
                    Failed(_subject(claim), effort, FailReason.OUTCOME_UNKNOWN, WHEN_KILLED)
                )

    def _keep_doubts(self) -> None:
        """Store the possible cost at today's price, as a later run may learn another price.

        Without any known price this is left to a later run.
        """
        doubts = self._ledger.claims.possibly_charged(self._run.run_id)
        self._tally.outcome_unknown = doubts
        if not doubts or self._ledger.claims.charges():
            self._checkpoint = msgspec.structs.replace(self._checkpoint, outcome_unknown=doubts)
            self._ledger.runs.save_checkpoint(
                self._run.run_id, msgspec.json.encode(self._checkpoint)
            )

    def _settle_rescued(self, claim: OpenClaim, saved: RescuedAnswer) -> None:
        body, received_at = saved.body, saved.received_at
        answer_id = self._ledger.claims.settle(_claim(claim), body, received_at, self._run.run_id)
        nothing = Answer(b"", received_at, None, None, None, ())
        self._decide(Scanned(_subject(claim), _effort(claim, received_at), nothing), answer_id)

    def _decide(self, outcome: Outcome, answer_id: int | None = None) -> None:
        line = line_of(outcome, self._run.run_id, sandbox=self._sandbox)
        self._ledger.runs.add_outcome(self._run.run_id, without_answer(line), answer_id)

    def make_files(self, now: float, *, newest: bool) -> None:
        """Write results.jsonl and report.json, and close the run if its cost is known.

        Raises:
            StorageError: the run's folder cannot be written.
        """
        if self._checkpoint.outcome_unknown is None:
            self._keep_doubts()
        folder = self._run.folder
        make_private_folder(Path(folder))
        scope = OfRun(self._run.run_id, None)
        view = self._allow_rules.view(self._ledger, scope, self.reported_runs)
        write_atomic(os.path.join(folder, RESULTS), map(encode, self._lines(view)))
        self._tally.unchanged(self._checkpoint.unchanged, self._checkpoint.unchanged_bytes)
        self._tally.unchanged_rejected.update(self._checkpoint.unchanged_rejected)
        if self._checkpoint.outcome_unknown is not None:
            self._tally.outcome_unknown = self._checkpoint.outcome_unknown
        summary = summarize(view, self._allow_rules)
        report = self._with_unchecked(build(self._run_section(now), self._tally, summary))
        write_companions(folder, report, view, now)
        write_report(folder, report)
        if newest:
            point_latest(os.path.dirname(os.path.dirname(folder)), report)
        if self._checkpoint.outcome_unknown is not None:
            self._ledger.runs.close(self._run.run_id, encode_report(report), view.matched())

    def _with_unchecked(self, report: Report) -> Report:
        """Add some of the files without an answer to the report, and write all to unchecked.csv."""
        folder, folders = self._run.folder, report.files.unreadable_folder_names
        if not (report.files.unchecked or folders):
            return report
        named = some_of_each(found_again(folder, self._ledger, report))
        files = found_again(folder, self._ledger, report)
        write_unchecked(folder, files, dict.fromkeys(folders, ""))
        return msgspec.structs.replace(report, unchecked_files=named, unchecked_table=UNCHECKED)

    def _run_section(self, now: float) -> Run:
        ended = _ending_of(self._run.folder)
        return Run(
            id=self._run.run_id,
            roots=list(self._checkpoint.roots),
            version=version.version(),
            started_at=rfc3339(self._run.started_at),
            finished_at=rfc3339(now),
            duration_s=elapsed(self._run.started_at, now),
            exit_code=ended.exit_code if ended else None,
            exit_reason=ended.exit_reason if ended else ExitReason.KILLED,
            partial=True,
            dry_run=False,
            at_least_s=None,
            sandbox=self._sandbox,
            message=ended.message if ended else WAS_KILLED,
            advice=ended.advice if ended else None,
        )

    def _lines(self, view: ReportView) -> Iterator[ResultLine]:
        """The run's lines; each is counted in the tally."""
        for line, answer in rebuild_lines(self._ledger, self._run.run_id, view):
            self._enter(line, answer)
            yield line

    def _enter(self, line: ResultLine, answer: Answer | None) -> None:
        tally = self._tally
        tally.statuses[line.status] += 1
        tally.bytes += line.bytes or 0
        tally.reasons.update([line.reason] if line.reason else [])
        if line.sent is not None and line.attempts:
            tally.sent_instead(line.sent.recipe, line.format)
        paid = line.status is Status.SCANNED or (line.status is Status.FAILED and line.attempts)
        if answer is not None and paid:
            tally.charged += answer.credits or 0
            tally.expected += answer.expected_credits or 0
        elif answer is not None and line.status is Status.REUSED:
            tally.saved_by_reuse += answer.credits or 0
        if line.status is Status.COVERED:
            tally.renditions = (tally.renditions or 0) + 1


def _ending_of(folder: str) -> Run | None:
    """The end of a run by its own report, if it left itself open after a disk error.

    Any other report was written just before a kill came, and is not used.
    """
    try:
        run = msgspec.json.decode(Path(folder, REPORT).read_bytes(), type=Report).run
    except (OSError, msgspec.MsgspecError):
        return None
    return run if run.exit_reason in _LEFT_OPEN else None


def _claim(claim: OpenClaim) -> Claim:
    return Claim(claim.picture_id, claim.scan_id, claim.generation)


def _subject(claim: OpenClaim) -> Subject:
    return Subject(
        path=os.fsdecode(claim.path),
        bytes=claim.bytes,
        sha256=claim.sha256,
        format=claim.format,
        width=claim.width,
        height=claim.height,
        sent=claim.sent,
    )


def _effort(claim: OpenClaim, until: float) -> Effort:
    return Effort(
        started_at=claim.opened_at,
        finished_at=until,
        elapsed_ms=max(0, round((until - claim.opened_at) * 1000)),
        attempts=claim.sends,
        scan_id=claim.scan_id,
        generation=claim.generation,
    )
