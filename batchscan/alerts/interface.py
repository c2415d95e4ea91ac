"""The interface of alert targets, and their failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from batchscan.errors import UsageError
from batchscan.settings import Secret


class RetryPolicy(Enum):
    """When to try again after a failure."""

    TRY_AGAIN = auto()  # soon
    NEXT_MESSAGE = auto()  # the target refuses this one
    NEXT_RUN = auto()  # all messages will fail until the target is fixed


@dataclass(frozen=True, slots=True)
class DeliveryFailure:
    """Why a message was not delivered."""

    what: str  # printable, and no secret
    then: RetryPolicy = RetryPolicy.TRY_AGAIN
    after: float = 0.0  # seconds to wait at least


def secret_of(key: str, variable: str, environ: Mapping[str, str]) -> Secret:
    """The secret in the environment variable that the setting `key` names.

    Raises:
        UsageError: it is not there.
    """
    value = environ.get(variable, "").strip()
    if not value:
        raise UsageError(
            f"{key}: the environment variable {variable} is not set",
            advice="set it where batchscan runs, or take that line out of the settings",
        )
    return Secret(value)


class AlertTarget(Protocol):
    """A target of messages about new matches: a webhook, a command, a service of apprise."""

    @property
    def name(self) -> str:
        """Its name in the ledger, without secrets: `webhook`, `command`, `apprise:slack`."""
        ...

    @property
    def seconds(self) -> float:
        """The seconds that one attempt to send may take."""
        ...

    async def send(self, message_id: str, body: bytes) -> DeliveryFailure | None:
        """Send one message once; None on success. May be cancelled."""
        ...
