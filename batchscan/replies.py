"""What one upload can come back with; what must end the run is raised instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from batchscan.model import ServiceError
from batchscan.names import FailReason


@dataclass(frozen=True, slots=True)
class Answered:
    """200 with an answer, as it came: it is paid for, so it is kept before anybody reads it."""

    body: bytes = field(repr=False)
    received_at: float  # seconds since 1970
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Conflict:
    """409: the scan id is spent and its answer cannot be had."""

    error: ServiceError


@dataclass(frozen=True, slots=True)
class Refusal:
    """The service will not take this picture; `final` when the picture itself is the reason."""

    error: ServiceError
    final: bool


@dataclass(frozen=True, slots=True)
class Busy:
    """429 or 503: wait, at least `retry_after` seconds where it was given; no attempt is used."""

    error: ServiceError
    retry_after: float | None
    away: bool  # 503: the service is away; 429: we were too fast


@dataclass(frozen=True, slots=True)
class Trouble:
    """No usable answer this time: 5xx, the network, garbage."""

    reason: FailReason  # NETWORK, SERVER_ERROR or BAD_RESPONSE
    detail: str
    error: ServiceError
    ambiguous: bool  # the whole request may have arrived, so a credit may have been charged
    reached: bool  # False when no connection could be made: the service is away
    body: bytes | None = field(default=None, repr=False)  # a 200's body that nobody could read
    other: bool = False  # the body answers another picture's request
    fresh: bool = False  # it came over a connection that nothing else used
    worker_lost: bool = False  # a machine of ours went away: that says nothing of the service


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """401: the token is not good any more; a new login may help, once."""

    error: ServiceError


@dataclass(frozen=True, slots=True)
class Unread:
    """Nothing was sent: the file had to be read again, and is not what it was or not there."""

    reason: FailReason
    detail: str


Reply: TypeAlias = Answered | Conflict | Refusal | Busy | Trouble | TokenRefused | Unread
