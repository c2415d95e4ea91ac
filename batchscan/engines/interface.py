"""The steps that an engine does; everything that decides or remembers stays in the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from batchscan.enums import FailReason
from batchscan.images.preview import Preview
from batchscan.model import Candidate, Image, NotSendable, ServiceError


@dataclass(frozen=True, slots=True)
class ClusterInfo:
    """What a report says of a cluster."""

    workers: int  # that took part
    hosts: int  # that they ran on
    lost: tuple[str, ...]  # addresses of those that vanished, the first of them


class Engine(Protocol):
    """Inspects files and uploads pictures, somewhere."""

    @property
    def logins(self) -> int:
        """Logins of this run."""
        ...

    @property
    def cluster(self) -> ClusterInfo | None:
        """The cluster it works on; None on this machine alone."""
        ...

    @property
    def bytes_in_flight(self) -> int:
        """Bytes of pictures that a run may have in hand at once."""
        ...

    async def inspect(self, candidate: Candidate) -> Image | NotSendable:
        """Read, hash and judge one file; trouble with the file is the result, not an exception."""
        ...

    async def make_sendable(self, image: Image, candidate: Candidate) -> Image | NotSendable:
        """Make what is sent for a picture; a new `Image`, which the other methods then want.

        Trouble with the file is the result. What is given back is to be released, too.

        Raises:
            Unavailable: there is no host any more.
        """
        ...

    async def make_preview(self, image: Image) -> Preview:
        """Make a thumbnail of a picture with matches, and read who made it; never raises."""
        ...

    @property
    def has_token(self) -> bool:
        """Whether an upload could start at once: whether there is a token."""
        ...

    async def ensure_token(self) -> Throttled | TransientError | None:
        """Get ready for uploads: log in, once for all that ask; None when that went well.

        Raises:
            AuthRefused: the login was refused.
            Unavailable: the login is not at this address.
            StorageError: answers could not be read on this machine.
        """
        ...

    async def acquire_host_slot(self, image: Image) -> None:
        """Wait until the host that would send a picture may send; at once while it has a slot.

        Raises:
            Unavailable: there is no host any more.
        """
        ...

    async def upload(self, scan_id: str, image: Image, leaving: Callable[[], None]) -> Reply:
        """Send one picture once, under this scan id; `leaving` is called as it leaves.

        Raises:
            AuthRefused: the account may not use the API.
            NoCredits: the account has no credits left.
            Unavailable: the API is not at this address.
        """
        ...

    def release(self, image: Image) -> None:
        """Give back what is kept for a picture: nothing more will be asked about it."""
        ...

    def cancel_waits(self) -> None:
        """Let nothing wait any more: the run stops."""
        ...

    async def balance(self) -> int | None:
        """Credits left on the account, or None where the service would not say."""
        ...

    async def aclose(self) -> None:
        """Give back connections, threads and child processes."""
        ...


@dataclass(slots=True)
class Success:
    """200 with an answer, as it came: it is paid for, so it is kept before anybody reads it.

    Whoever has kept a long body may empty it here, for others still hold the reply.
    """

    body: bytes = field(repr=False)
    received_at: float  # seconds since 1970
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Conflict:
    """409: the scan id is spent and its answer cannot be had."""

    error: ServiceError


@dataclass(frozen=True, slots=True)
class Refused:
    """The service will not take this picture; `final` when the picture itself is the reason."""

    error: ServiceError
    final: bool


@dataclass(frozen=True, slots=True)
class Throttled:
    """429 or 503: wait, at least `retry_after` seconds where it was given; no attempt is used."""

    error: ServiceError
    retry_after: float | None
    away: bool  # 503: the service is away; 429: we were too fast


@dataclass(frozen=True, slots=True)
class TransientError:
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
class TokenRejected:
    """401: the token is not good any more; a new login may help, once."""

    error: ServiceError


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nothing was sent: the file had to be read again, and is not what it was or not there."""

    reason: FailReason
    detail: str


Reply: TypeAlias = (
    Success | Conflict | Refused | Throttled | TransientError | TokenRejected | NotSent
)
