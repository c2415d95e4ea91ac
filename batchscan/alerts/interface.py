"""What a target is, and how it says that it did not get a message."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol


class RetryPolicy(Enum):
    """What to do after trouble."""

    TRY_AGAIN = auto()  # soon
    NEXT_MESSAGE = auto()  # the target would not take this one
    NEXT_RUN = auto()  # nothing will be taken before somebody mends something


@dataclass(frozen=True, slots=True)
class DeliveryFailure:
    """Why a message was not delivered."""

    what: str  # printable, and no secret
    then: RetryPolicy = RetryPolicy.TRY_AGAIN
    after: float = 0.0  # seconds to wait at least


class AlertTarget(Protocol):
    """Somebody who gets messages."""

    @property
    def name(self) -> str:
        """What the ledger calls it: `webhook`, `command`, `apprise:slack`; no secret."""
        ...

    @property
    def seconds(self) -> float:
        """How long it may take."""
        ...

    async def send(self, message_id: str, body: bytes) -> DeliveryFailure | None:
        """Tell one message once; None if that went well. May be cancelled."""
        ...
