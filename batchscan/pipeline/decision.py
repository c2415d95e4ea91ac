"""The decision on one content: its outcome, and where the answer is in the ledger.

A `Decision` holds for every file with this content: `for_twin` transfers it to another file, and
`for_equal` to another content from which the same bytes would have been made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

from batchscan.model import Claim, Failed, Image, NotSendable, Outcome, Reused, Scanned
from batchscan.pipeline.outcomes import Stopwatch, not_sendable, subject_of
from batchscan.pipeline.settlement import Settled


@dataclass(frozen=True, slots=True)
class Stored:
    """Decided by an answer that was in the ledger."""

    outcome: Outcome
    picture_id: int
    answer_id: int
    equal: bool = False  # the answer belongs to another content with the same sent bytes


@dataclass(frozen=True, slots=True)
class RefusedNow:
    """The service has just refused the picture sent under this claim."""

    outcome: Outcome
    claim: Claim


@dataclass(frozen=True, slots=True)
class Plain:
    """Decided without an answer: rejected, failed or deferred."""

    outcome: Outcome
    by_conversion: bool = False  # rejected under the rules for conversions


Shareable: TypeAlias = Stored | RefusedNow | Plain
Decision: TypeAlias = Settled | Shareable


def unsendable(file: NotSendable, watch: Stopwatch) -> Plain:
    """The decision on a file that will not be sent."""
    return Plain(not_sendable(file, watch), file.by_conversion)


def for_twin(decision: Decision, image: Image, watch: Stopwatch) -> Shareable:
    """The same decision for another file with the same content, which is not charged again."""
    outcome = _of_twin(decision.outcome, image, watch)
    if not isinstance(decision, Settled):
        return replace(decision, outcome=outcome)
    if decision.answer_id is None:  # the ledger could not store it: it was saved elsewhere
        return Plain(outcome)
    return Stored(outcome, decision.picture_id, decision.answer_id)


def for_equal(decision: Decision, image: Image, watch: Stopwatch) -> Shareable:
    """The same decision for another content from which the same bytes would have been made."""
    twin = for_twin(decision, image, watch)
    warnings = twin.outcome.subject.warnings
    subject = replace(subject_of(image), warnings=warnings)
    twin = replace(twin, outcome=replace(twin.outcome, subject=subject))
    return replace(twin, equal=True) if isinstance(twin, Stored) else twin


def _of_twin(outcome: Outcome, image: Image, watch: Stopwatch) -> Outcome:
    subject = replace(outcome.subject, path=image.path)
    effort = watch.effort(0, outcome.effort.scan_id, outcome.effort.generation)
    match outcome:
        case Scanned(answer=answer):
            return Reused(subject, effort, answer)
        case Failed(answer=answer) if answer is not None:
            return replace(outcome, subject=subject, effort=effort)
        case _:
            return replace(outcome, subject=subject)
