"""The submission of one picture, and its possible results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from batchscan.engines.interface import Refused
from batchscan.enums import FailReason
from batchscan.ledger import KnownPicture
from batchscan.model import Claim, Effort, Failed, Image, ServiceError
from batchscan.pipeline.decision import Decision, Plain, RefusedNow
from batchscan.pipeline.outcomes import Stopwatch, refused, subject_of
from batchscan.pipeline.settlement import Settled


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """A submission that ended without an answer."""

    reason: FailReason
    detail: str
    error: ServiceError | None


# The result of a submission.
SubmissionResult: TypeAlias = Settled | Refused | NoAnswer


@dataclass(slots=True)
class Submission:
    """The submission of one picture, over all its attempts."""

    image: Image
    generation: int
    watch: Stopwatch
    requests: int = 0
    attempts: int = 0  # used up; waiting and pauses use none
    maybe_charged: bool = False  # a request got no answer
    conflicts: int = 0
    is_rescan: bool = False  # it was answered before, and this is not a run with --force
    tokens_refused: int = 0
    claim: Claim | None = None
    last_error: ServiceError | None = None

    def effort(self) -> Effort:
        """The effort up to now."""
        scan_id = self.claim.scan_id if self.claim else None
        return self.watch.effort(self.requests, scan_id, self.generation)

    def decision(self, result: SubmissionResult) -> Settled | RefusedNow | Plain:
        """The decision that follows from a result."""
        match result:
            case Settled():
                return result
            case Refused(error, final):
                outcome = refused(self.image, self.effort(), error, final=final)
                return RefusedNow(outcome, self.sent_claim)
            case NoAnswer(reason, detail, error):
                return Plain(Failed(subject_of(self.image), self.effort(), reason, detail, error))

    @property
    def sent_claim(self) -> Claim:
        """The claim under which it was sent; only after sending."""
        assert self.claim is not None  # noqa: S101 - a reply comes after a claim
        return self.claim


class Submitter(Protocol):
    """Submits pictures to the service, or counts them in a dry run."""

    async def submit(self, image: Image, known: KnownPicture, watch: Stopwatch) -> Decision:
        """Submit one picture; an answer is in the ledger when this returns.

        Raises:
            StopRun: the run stops, and nothing of this picture was charged.
        """
        ...
