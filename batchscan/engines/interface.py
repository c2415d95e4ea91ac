"""The interface of engines, and the replies to an upload. Decisions and state stay in the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from batchscan.enums import FailReason
from batchscan.images.comparing import Content
from batchscan.images.preview import Preview
from batchscan.model import Candidate, Image, NotSendable, ServiceError

if TYPE_CHECKING:
    from batchscan.copyleaks.transport import BeforeLong


@dataclass(frozen=True, slots=True)
class ClusterInfo:
    """The cluster of a run, for its report."""

    workers: int  # that took part
    hosts: int  # that they ran on
    lost: tuple[str, ...]  # addresses of the first ones that were lost


class Engine(Protocol):
    """Inspects files and uploads pictures."""

    @property
    def logins(self) -> int:
        """How often this run has logged in."""
        ...

    @property
    def cluster(self) -> ClusterInfo | None:
        """The cluster; None for this machine alone."""
        ...

    @property
    def bytes_in_flight(self) -> int:
        """Bytes of pictures that a run may hold at once."""
        ...

    async def inspect(self, candidate: Candidate) -> Image | NotSendable:
        """Read, hash and judge one file; a problem with the file is a result, not an exception."""
        ...

    async def make_sendable(self, image: Image, candidate: Candidate) -> Image | NotSendable:
        """Make what is sent for a picture; returns a new `Image`, to be used from then on.

        A problem with the file is a result. The new `Image` has to be released as well.

        Raises:
            Unavailable: there is no host any more.
        """
        ...

    async def make_preview(self, image: Image) -> Preview:
        """Make a thumbnail of a picture, and read its provenance; never raises."""
        ...

    async def deviation(self, one: Content, other: Content) -> float:
        """How far two files are from being versions of one picture; up to 1 they are.

        Infinite if a file has changed or cannot be read any more.

        Raises:
            Unavailable: there is no host any more.
        """
        ...

    @property
    def has_token(self) -> bool:
        """Whether there is a token, so that an upload can start without a login."""
        ...

    async def ensure_token(self) -> Throttled | TransientError | None:
        """Log in, once for all concurrent callers; None on success.

        Raises:
            AuthRefused: the login was refused.
            Unavailable: the login is not at this address.
            StorageError: answers cannot be parsed on this machine.
        """
        ...

    async def acquire_host_slot(self, image: Image, until: float) -> None:
        """Wait until the picture's host may send, unless the picture has a slot already.

        Returns without one at the monotonic time `until`.

        Raises:
            Unavailable: there is no host any more.
        """
        ...

    async def upload(
        self,
        scan_id: str,
        image: Image,
        leaving: Callable[[], None],
        before_long: BeforeLong | None = None,
    ) -> Reply:
        """Send one picture once, under this scan id.

        Args:
            scan_id: the id.
            image: the picture.
            leaving: called at the first byte.
            before_long: awaited before a long answer, which has arrived, is read into this
                process's memory, where the engine does that itself.

        Raises:
            AuthRefused: the account may not use the API.
            NoCredits: the account has no credits left.
            Unavailable: the API is not at this address.
        """
        ...

    def release(self, image: Image) -> None:
        """Release everything that is kept for a picture."""
        ...

    def cancel_waits(self) -> None:
        """Wake everything that waits, as the run stops."""
        ...

    async def balance(self) -> int | None:
        """Credits left on the account; None if the service gives no answer."""
        ...

    async def aclose(self) -> None:
        """Close connections, threads and child processes."""
        ...


@dataclass(slots=True)
class Success:
    """A 200 with a verbatim answer, which is paid for and has to be stored before it is parsed.

    `body` may be emptied once it is stored, to free memory while others hold the reply.
    """

    body: bytes = field(repr=False)
    received_at: float  # seconds since 1970
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Conflict:
    """A 409: the scan id is used up, and its answer is lost."""

    error: ServiceError


@dataclass(frozen=True, slots=True)
class Refused:
    """The service refused the picture; `final` if that will not change."""

    error: ServiceError
    final: bool


@dataclass(frozen=True, slots=True)
class Throttled:
    """A 429 or 503: wait, at least `retry_after` seconds if given; this uses up no attempt."""

    error: ServiceError
    retry_after: float | None
    away: bool  # True for 503: the service is unavailable; False for 429


@dataclass(frozen=True, slots=True)
class TransientError:
    """No usable answer: 5xx, a network error, an unreadable body."""

    reason: FailReason  # NETWORK, SERVER_ERROR or BAD_RESPONSE
    detail: str
    error: ServiceError
    ambiguous: bool  # the whole request may have arrived, so a credit may have been charged
    reached: bool  # False if there was no connection
    body: bytes | None = field(default=None, repr=False)  # a 200's body that cannot be read
    mismatched: bool = False  # the body answers another picture's request
    fresh: bool = False  # it came over a new connection
    worker_lost: bool = False  # a worker was lost, which says nothing about the service


@dataclass(frozen=True, slots=True)
class TokenRejected:
    """A 401: the token is not valid any more; one new login may help."""

    error: ServiceError


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nothing was sent: the file had to be read again, and was changed or removed."""

    reason: FailReason
    detail: str


Reply: TypeAlias = (
    Success | Conflict | Refused | Throttled | TransientError | TokenRejected | NotSent
)
