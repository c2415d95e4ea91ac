"""What the vendor's API can answer instead of an answer, drawn once.

    CopyleaksError                     carries what the service said (`details`)
    ├── WrongAddress                   3xx, 404, 405: this is not the API
    ├── AuthenticationFailed           403, a refused login
    │   └── TokenRefused               401: a new login may help, once
    ├── PaymentRequired                402; codes 13 and 17 at any status
    ├── ScanIdConflict                 409
    ├── Refused                        the picture itself: 413, 415, codes 6, 8, 10, 14, 24
    ├── Declined                       any other 4xx
    ├── RateLimited                    429; `retry_after` in seconds
    │   └── LoginBudgetSpent           ours: 12 logins in 15 minutes, not asked at all
    ├── UnderMaintenance               503; `retry_after` in seconds
    ├── ServerFailed                   any other 5xx
    ├── BadResponse                    another 2xx, or a 200 nobody can read; `body` is what came
    │   └── OtherAnswer                a 200 to another question
    └── ConnectionFailed               no answer; `sent` and `reached` say how far it got

`CopyleaksError.login` says whether it happened at the login.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServiceError:
    """An error as the service reported it; any part may be missing. The vendor's own words."""

    http_status: int | None = None
    type: str | None = None
    code: str | None = None
    id: str | None = None
    trace_id: str | None = None
    message: str | None = None


class CopyleaksError(Exception):
    """The root of everything that this package raises on purpose."""

    def __init__(self, message: str, details: ServiceError | None = None) -> None:
        super().__init__(message)
        self.details = details or ServiceError()
        self.login = False


class WrongAddress(CopyleaksError):
    """Something answers there, but not this API."""


class AuthenticationFailed(CopyleaksError):
    """The login was refused, or the account may not do this."""


class TokenRefused(AuthenticationFailed):
    """A token was refused; a new login may help, once."""


class PaymentRequired(CopyleaksError):
    """No credits are left."""


class ScanIdConflict(CopyleaksError):
    """The scan id has been used before, and its answer is not given again."""


class PictureRefused(CopyleaksError):
    """The service will not take this picture."""


class Declined(CopyleaksError):
    """The service will not take this request."""


class RateLimited(CopyleaksError):
    """Too fast."""

    def __init__(
        self, message: str, details: ServiceError | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, details)
        self.retry_after = retry_after


class LoginBudgetSpent(RateLimited):
    """Another login now would be one too many for the vendor; none was sent."""


class UnderMaintenance(CopyleaksError):
    """The service is away for a while."""

    def __init__(
        self, message: str, details: ServiceError | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, details)
        self.retry_after = retry_after


class ServerFailed(CopyleaksError):
    """The service failed; `sent` says whether it had been handed the whole request."""

    def __init__(
        self, message: str, details: ServiceError | None = None, *, sent: bool = True
    ) -> None:
        super().__init__(message, details)
        self.sent = sent


class BadResponse(CopyleaksError):
    """An answer came that nobody can read."""

    def __init__(
        self, message: str, details: ServiceError | None = None, body: bytes = b""
    ) -> None:
        super().__init__(message, details)
        self.body = body


class OtherAnswer(BadResponse):
    """A 200 that names another scan id; `fresh`: over a connection that nothing else used."""

    def __init__(self, message: str, details: ServiceError, body: bytes, *, fresh: bool) -> None:
        super().__init__(message, details, body)
        self.fresh = fresh


class ConnectionFailed(CopyleaksError):
    """No answer came."""

    def __init__(self, message: str, *, sent: bool, reached: bool) -> None:
        """Say how far it got.

        Args:
            message: what happened, with the address.
            sent: whether the whole request had been handed over, so that it may have arrived.
            reached: whether there was a connection at all.
        """
        super().__init__(message)
        self.sent = sent
        self.reached = reached
