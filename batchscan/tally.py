"""Counts of a run: one status for each file that was found, counted when it is decided."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from batchscan.enums import DeferReason, FailReason, RejectReason, Status
from batchscan.model import CONVERTED, Covered, Failed, Outcome, Reused, Scanned

_REASONS = {
    Status.REJECTED: RejectReason,
    Status.FAILED: FailReason,
    Status.DEFERRED: DeferReason,
}


@dataclass(slots=True)
class Tally:
    """Counts of a run; counts, text and exit code all derive from these fields."""

    statuses: Counter[Status] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    unchanged_rejected: Counter[str] = field(default_factory=Counter)  # by reason
    bytes: int = 0  # of every file seen, unchanged ones too
    ignored: int = 0  # other names, links not followed, devices
    excluded: int = 0  # left out by patterns: files, and folders not entered
    unreadable_folders: int = 0
    unreadable_names: dict[str, str] = field(default_factory=dict)  # some of them, and why
    empty_roots: list[str] = field(default_factory=list)  # in which the ledger knows pictures
    charged: int = 0
    expected: int = 0
    saved_by_reuse: int = 0
    doubts: int = 0  # requests that may have been charged without an answer
    outcome_unknown: int = 0  # credits that those may have cost, at the price known at the end
    converted: Counter[str] = field(default_factory=Counter)  # sent as a JPEG, by format
    planned_bytes: int = 0  # of a dry run: what would be sent
    planned_shared: int = 0  # of a dry run: files that share the answer of one that would be sent
    renditions: int | None = None  # versions of other pictures; None if they were not looked for
    renditions_credits: int | None = None  # that they cost; None if none was sent
    matches_found: int = 0  # in this run's answers, for the progress line

    def record(self, outcome: Outcome) -> None:
        """Count one decided file."""
        self.statuses[outcome.status] += 1
        self.bytes += outcome.subject.bytes or 0
        if outcome.subject.sent is not None and outcome.effort.attempts:
            self.sent_instead(outcome.subject.sent.recipe, outcome.subject.format)
        if isinstance(outcome, Scanned):
            self.charged += outcome.answer.credits or 0
            self.expected += outcome.answer.expected_credits or 0
            self.matches_found += len(outcome.answer.matches)
        elif isinstance(outcome, Reused):
            self.saved_by_reuse += outcome.answer.credits or 0
        elif isinstance(outcome, Covered):
            self.renditions = (self.renditions or 0) + 1
        else:
            self.reasons[outcome.reason] += 1
            if isinstance(outcome, Failed) and outcome.answer and outcome.effort.attempts:
                self.charged += outcome.answer.credits or 0
                self.expected += outcome.answer.expected_credits or 0
                self.matches_found += len(outcome.answer.matches)

    def sent_instead(self, recipe: str, form: str | None) -> None:
        """Count a file if it was converted and sent, or would be in a dry run."""
        if recipe == CONVERTED:
            self.converted[form or "unknown"] += 1

    def unchanged(self, files: int, size: int) -> None:
        """Count files that are unchanged since they were last decided."""
        self.statuses[Status.UNCHANGED] += files
        self.bytes += size

    @property
    def seen(self) -> int:
        """Every file that was found and decided."""
        return sum(self.statuses.values())

    @property
    def put_off(self) -> int:
        """Files that were deferred because this run stopped."""
        planned = self.reasons[DeferReason.TOO_YOUNG] + self.reasons[DeferReason.DRY_RUN]
        return self.statuses[Status.DEFERRED] - planned

    @property
    def unchecked(self) -> Counter[str]:
        """Pictures without an answer by reason, including those rejected by earlier runs."""
        return self.reasons + self.unchanged_rejected

    @property
    def incomplete(self) -> bool:
        """Whether coverage was lost: failed pictures, unreadable folders, empty roots."""
        return bool(self.statuses[Status.FAILED] or self.unreadable_folders or self.empty_roots)

    def fault(self) -> str | None:
        """Describe where statuses and reasons do not add up; None if they do."""
        for status, reasons in _REASONS.items():
            explained = sum(self.reasons[reason] for reason in reasons)
            if explained != self.statuses[status]:
                return f"{self.statuses[status]} {status}, but {explained} with a reason"
        rejected, unchanged = self.unchanged_rejected.total(), self.statuses[Status.UNCHANGED]
        if rejected > unchanged:
            return f"{unchanged} unchanged, but {rejected} of them rejected"
        return None
