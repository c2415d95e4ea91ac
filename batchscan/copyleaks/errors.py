"""The exception tree of the vendor's API.

    CopyleaksError                     `details` has the fields of the response
    ├── WrongAddress                   3xx, 404, 405: this is not the API
    ├── AuthenticationFailed           403, a refused login
    │   └── TokenRefused               401: a new login may help, once
    ├── PaymentRequired                402; codes 13 and 17 at any status
    ├── ScanIdConflict                 409
    ├── Refused                        the picture itself: 413, 415, codes 6, 8, 10, 14, 24
    ├── Declined                       any other 4xx
    ├── RateLimited                    429; `retry_after` in seconds
    │   └── LoginBudgetSpent           ours: 12 logins in 15 minutes, no request was sent
    ├── UnderMaintenance               503; `retry_after` in seconds
    ├── ServerFailed                   any other 5xx
    ├── BadResponse                    another 2xx, or an unreadable 200; `body` is verbatim
    │   └── OtherAnswer                a 200 to another request
    └── ConnectionFailed               no answer; `sent` and `reached` say how far it got

`CopyleaksError.login` is True if it happened at the login.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServiceError:
    """An error as reported by the service, in its own words; any part may be missing."""

    http_status: int | None = None
    type: str | None = None
    code: str | None = None
    id: str | None = None
    trace_id: str | None = None
    message: str | None = None


class CopyleaksError(Exception):
    """The base class of this package's exceptions."""

    def __init__(self, message: str, details: ServiceError | None = None) -> None:
        super().__init__(message)
        self.details = details or ServiceError()
        self.login = False


class WrongAddress(CopyleaksError):
    """A server answers at this address, but it is not the API."""


class AuthenticationFailed(CopyleaksError):
    """The login was refused, or the account lacks the permission."""


class TokenRefused(AuthenticationFailed):
    """A token was refused; a new login may help, once."""


class PaymentRequired(CopyleaksError):
    """The account has no credits left (402)."""


class ScanIdConflict(CopyleaksError):
    """The scan id was used before; the service does not repeat its answer."""


class PictureRefused(CopyleaksError):
    """The service refused the picture."""


class Declined(CopyleaksError):
    """The service refused the request."""


class RateLimited(CopyleaksError):
    """The service got too many requests (429)."""

    def __init__(
        self, message: str, details: ServiceError | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, details)
        self.retry_after = retry_after


class LoginBudgetSpent(RateLimited):
    """Another login now would exceed the vendor's limit; none was sent."""


class UnderMaintenance(CopyleaksError):
    """The service is down for maintenance."""

    def __init__(
        self, message: str, details: ServiceError | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, details)
        self.retry_after = retry_after


class ServerFailed(CopyleaksError):
    """The service failed; `sent` is whether the whole request had been sent."""

    def __init__(
        self, message: str, details: ServiceError | None = None, *, sent: bool = True
    ) -> None:
        super().__init__(message, details)
        self.sent = sent


class BadResponse(CopyleaksError):
    """A response that cannot be read."""

    def __init__(
        self, message: str, details: ServiceError | None = None, body: bytes = b""
    ) -> None:
        super().__init__(message, details)
        self.body = body


class OtherAnswer(BadResponse):
    """A 200 that belongs to another request; `fresh` if it came over a new connection."""

    def __init__(self, message: str, details: ServiceError, body: bytes, *, fresh: bool) -> None:
        super().__init__(message, details, body)
        self.fresh = fresh


class ConnectionFailed(CopyleaksError):
    """No response: the connection could not be opened, or broke."""

    def __init__(self, message: str, *, sent: bool, reached: bool) -> None:
        """Describe the failure.

        Args:
            message: what happened, with the address.
            sent: whether the whole request was sent, so that it may have arrived.
            reached: whether there was a connection.
        """
        super().__init__(message)
        self.sent = sent
        self.reached = reached
