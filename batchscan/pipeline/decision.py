"""What is decided about one content: its outcome, and what the ledger has of the answer.

A `Decision` is good for every file that holds the content: `for_twin` makes it another file's, and
`for_equal` another content's, of which the same bytes would have been sent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

from batchscan.model import Claim, Failed, Image, NotSendable, Outcome, Reused, Scanned
from batchscan.pipeline.outcomes import Stopwatch, not_sendable, subject_of
from batchscan.pipeline.settlement import Settled


@dataclass(frozen=True, slots=True)
class Stored:
    """By an answer that the ledger had already."""

    outcome: Outcome
    picture_id: int
    answer_id: int
    equal: bool = False  # the answer is another content's, of which the same bytes were sent


@dataclass(frozen=True, slots=True)
class RefusedNow:
    """The service has just refused what this claim sent."""

    outcome: Outcome
    claim: Claim


@dataclass(frozen=True, slots=True)
class Plain:
    """The ledger has no answer to it."""

    outcome: Outcome
    by_conversion: bool = False  # rejected, and other rules for conversions might not have been


Shareable: TypeAlias = Stored | RefusedNow | Plain
Decision: TypeAlias = Settled | Shareable


def unsendable(found: NotSendable, watch: Stopwatch) -> Plain:
    """The decision on a file that will not be sent."""
    return Plain(not_sendable(found, watch), found.by_conversion)


def for_twin(decision: Decision, image: Image, watch: Stopwatch) -> Shareable:
    """The same decision for another file of the same content; a paid answer is paid once."""
    outcome = _of_twin(decision.outcome, image, watch)
    if not isinstance(decision, Settled):
        return replace(decision, outcome=outcome)
    if decision.answer_id is None:  # it was saved elsewhere
        return Plain(outcome)
    return Stored(outcome, decision.picture_id, decision.answer_id)


def for_equal(decision: Decision, image: Image, watch: Stopwatch) -> Shareable:
    """The same decision for another content, of which the same bytes would have been sent."""
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
