"""One picture being asked about, the ends that this can have, and what they decide."""

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
    """The end of asking without an answer."""

    reason: FailReason
    detail: str
    error: ServiceError | None


# How asking about a picture ends.
SubmissionResult: TypeAlias = Settled | Refused | NoAnswer


@dataclass(slots=True)
class Submission:
    """One picture being asked about, over all its attempts."""

    image: Image
    generation: int
    watch: Stopwatch
    requests: int = 0
    attempts: int = 0  # attempts used up; waiting and pauses use none
    maybe_charged: bool = False  # a request of ours got no answer
    conflicts: int = 0
    is_rescan: bool = False  # it was answered before, and not everything is asked again
    tokens_refused: int = 0
    claim: Claim | None = None
    last_error: ServiceError | None = None

    def effort(self) -> Effort:
        """What was done for it until now."""
        scan_id = self.claim.scan_id if self.claim else None
        return self.watch.effort(self.requests, scan_id, self.generation)

    def decision(self, result: SubmissionResult) -> Settled | RefusedNow | Plain:
        """What the end of asking makes of the picture."""
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
        """The claim under which it was sent; it was."""
        assert self.claim is not None  # noqa: S101 - a reply comes after a claim
        return self.claim


class Submitter(Protocol):
    """Decides about a picture by asking the service, or by planning to in a dry run."""

    async def submit(self, image: Image, known: KnownPicture, watch: Stopwatch) -> Decision:
        """Decide about one picture; an answer is in the ledger when this returns.

        Raises:
            StopRun: the run stops, and nothing of this picture was charged.
        """
        ...
