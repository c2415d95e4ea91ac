"""One picture being asked about, and the ends that this can have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from batchscan.engines.interface import Refused
from batchscan.enums import FailReason
from batchscan.ledger import KnownPicture
from batchscan.model import Claim, Deferred, Effort, Image, ServiceError
from batchscan.pipeline.outcomes import Stopwatch
from batchscan.pipeline.settlement import Settled


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The end of asking without an answer."""

    reason: FailReason
    detail: str
    error: ServiceError | None


@dataclass(slots=True)
class Submission:
    """One picture being asked about, over all its tries."""

    image: Image
    generation: int
    watch: Stopwatch
    requests: int = 0
    attempts: int = 0  # attempts used up; waiting and pauses use none
    maybe_charged: bool = False  # a request of ours got no answer
    conflicts: int = 0
    is_rescan: bool = False  # it was answered before, and not everything is asked again
    tokens_refused: int = 0
    others: int = 0  # answers to it that named another scan id
    claim: Claim | None = None
    last_error: ServiceError | None = None

    def effort(self) -> Effort:
        """What was done for it until now."""
        scan_id = self.claim.scan_id if self.claim else None
        return self.watch.effort(self.requests, scan_id, self.generation)


# The last one comes of a dry run only.
SubmissionResult: TypeAlias = Settled | Refused | NoAnswer | Deferred


class Submitter(Protocol):
    """Brings a picture to its end: at the service, or in a dry run's reckoning."""

    async def submit(
        self, image: Image, known: KnownPicture, watch: Stopwatch
    ) -> tuple[SubmissionResult, Submission]:
        """Bring one picture to its end, an answer to where it is kept.

        Raises:
            StopRun: the run stops, and nothing of this picture was charged.
        """
        ...
