"""A circuit breaker for refusals: ten in a row without an accepted picture stop the run."""

from __future__ import annotations

from dataclasses import dataclass

from batchscan.errors import Unavailable
from batchscan.model import Image
from batchscan.pipeline.decision import RefusedNow

TOO_MANY = 10


@dataclass(frozen=True, slots=True)
class HeldRefusal:
    """A refused file whose outcome is held back."""

    image: Image
    refusal: RefusedNow


class RefusalBreaker:
    """Holds back refusals until an accepted picture confirms that the service works."""

    def __init__(self) -> None:
        self._held: list[HeldRefusal] = []
        self.service_at_fault = False

    def refused(self, held: HeldRefusal) -> bool:
        """Hold a refusal back; returns whether there are too many now."""
        self._held.append(held)
        different = {held_refusal.image.sha256 for held_refusal in self._held}
        self.service_at_fault = self.service_at_fault or len(different) >= TOO_MANY
        return self.service_at_fault

    def release(self) -> list[HeldRefusal]:
        """Remove and return all that are held, oldest first."""
        held, self._held = self._held, []
        return held

    def too_many(self) -> Unavailable:
        """The reason to stop the run."""
        return Unavailable(
            f"the service refused {TOO_MANY} different pictures in a row and accepted none",
            advice="see the errors in results.jsonl; `batchscan doctor` checks account and settings",
        )
