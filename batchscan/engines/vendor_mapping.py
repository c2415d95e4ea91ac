"""The table from errors of the vendor to replies about a picture or stops of the run."""

from __future__ import annotations

from contextlib import nullcontext

from batchscan.copyleaks import errors as vendor
from batchscan.copyleaks.error_table import clean
from batchscan.copyleaks.requests import Multipart, check_form
from batchscan.copyleaks.responses import FULL, PARTIAL, InternetMatch, read_check
from batchscan.engines.interface import (
    Conflict,
    Refused,
    Reply,
    Throttled,
    TokenRejected,
    TransientError,
)
from batchscan.enums import FailReason, MatchKind
from batchscan.errors import AuthRefused, NoCredits, StopRun, Unavailable
from batchscan.ledger.match_rows import merged_by_key
from batchscan.model import Answer, Image, Match, ServiceError
from batchscan.settings import Api
from batchscan.util.collection import collection_held
from batchscan.util.urls import key_and_domain

# With these statuses after the whole picture was sent, it may have been charged: the service
# failed on the way, or a gateway lost its answer or timed out. 520, 522 and 524 are Cloudflare's
# for these (its documentation on 5xx errors); 521, 523, 525 and 526 mean that it did not connect.
MAY_CHARGE = (500, 502, 504, 520, 522, 524)


def to_form(scan_id: str, image: Image, api: Api) -> Multipart:
    """The form that asks about a picture under a scan id."""
    return check_form(scan_id, image.data, image.file_name, image.content_type, sandbox=api.sandbox)


def to_reply(error: vendor.CopyleaksError, api: Api) -> Reply:
    """The reply about a picture for an error.

    Raises:
        AuthRefused: the account cannot be used.
        NoCredits: it has no credits left.
        Unavailable: this is not the API.
    """
    if error.login:
        return to_login_reply(error, api)
    if isinstance(error, vendor.TokenRefused):
        return TokenRejected(error.details)
    _stop_for_good(error, api)
    return _of_picture(error)


def to_login_reply(error: vendor.CopyleaksError, api: Api) -> Throttled | TransientError:
    """The reply for an error of the login: nothing was sent, so no attempt is used.

    Raises:
        AuthRefused: the login was refused.
        Unavailable: this is not the login.
    """
    _stop_for_good(error, api)
    details = error.details
    if isinstance(error, vendor.RateLimited | vendor.UnderMaintenance):
        return Throttled(details, error.retry_after, away=True)
    detail = f"the login failed: {error}"
    return TransientError(FailReason.NETWORK, detail, details, ambiguous=False, reached=False)


def to_stop(error: vendor.CopyleaksError, api: Api) -> StopRun:
    """The error of a command without pictures."""
    try:
        _stop_for_good(error, api)
    except StopRun as stop:
        return stop
    if isinstance(error, vendor.ConnectionFailed) and not error.reached:
        return Unavailable(
            f"the API cannot be reached: {error}",
            advice="check the network connection, and the proxy if HTTPS_PROXY names one",
        )
    return Unavailable(
        f"the API did not answer as expected: {error}",
        advice="try again later; see the vendor's status page",
    )


def _stop_for_good(error: vendor.CopyleaksError, api: Api) -> None:
    """Raise for errors that retrying cannot fix."""
    match error:
        case vendor.WrongAddress():
            raise _wrong_address(error, api) from error
        case vendor.AuthenticationFailed():
            raise _auth_refused(error) from error
        case vendor.PaymentRequired():
            raise NoCredits(
                f"the account is out of credits ({error})",
                advice="buy credits, then run the same command again to continue",
            ) from error
        case _:
            return


def _wrong_address(error: vendor.CopyleaksError, api: Api) -> Unavailable:
    where = api.identity_url if error.login else api.url
    return Unavailable(
        f"{where} is not the address of the API ({error})",
        advice="check api.url and api.identity_url (COPYLEAKS_API_URL, COPYLEAKS_IDENTITY_URL)",
    )


def _auth_refused(error: vendor.CopyleaksError) -> AuthRefused:
    what = "the login was refused" if error.login else "the account may not use the API"
    return AuthRefused(
        f"{what} ({error})", advice="check COPYLEAKS_EMAIL and the API key; see `batchscan doctor`"
    )


def _of_picture(error: vendor.CopyleaksError) -> Reply:
    details = error.details
    match error:
        case vendor.ScanIdConflict():
            return Conflict(details)
        case vendor.PictureRefused():
            return Refused(details, final=True)
        case vendor.RateLimited(retry_after=wait):
            return Throttled(details, wait, away=False)
        case vendor.UnderMaintenance(retry_after=wait):
            return Throttled(details, wait, away=True)
        case vendor.Declined():
            return Refused(details, final=False)
        case _:
            return _trouble(error, details)


def _trouble(error: vendor.CopyleaksError, details: ServiceError) -> TransientError:
    match error:
        case vendor.ConnectionFailed(sent=sent, reached=reached):
            return TransientError(FailReason.NETWORK, str(error), details, sent, reached)
        case vendor.OtherAnswer(body=body, fresh=fresh):
            reason = FailReason.BAD_RESPONSE
            return TransientError(
                reason, str(error), details, True, True, body, mismatched=True, fresh=fresh
            )
        case vendor.BadResponse(body=body):
            return TransientError(FailReason.BAD_RESPONSE, str(error), details, True, True, body)
        case _:
            sent = not isinstance(error, vendor.ServerFailed) or error.sent
            charged = sent and details.http_status in MAY_CHARGE
            return TransientError(
                FailReason.SERVER_ERROR, str(error), details, charged, reached=True
            )


LONG_ANSWER = 64 * 1024  # bytes; parsing more would block the event loop too long
_GIVEN_UP = (
    "batchscan crashed twice while reading this answer, perhaps for lack of memory; only a newer "
    "version or --force tries it again"
)
_KINDS = {FULL: MatchKind.FULL, PARTIAL: MatchKind.PARTIAL, None: MatchKind.OTHER}


def parse_answer(
    body: bytes, received_at: float, scan_id: str | None = None, *, sandbox: bool = False
) -> Answer:
    """Parse an answer's body; deterministic.

    Problems are not raised: they become the answer's `trouble`.
    """
    with collection_held() if len(body) >= LONG_ANSWER else nullcontext():
        return _parse(body, received_at, scan_id, sandbox=sandbox)


def _parse(body: bytes, received_at: float, scan_id: str | None, *, sandbox: bool) -> Answer:
    result = read_check(body, scan_id)
    matches = merged_by_key([_match(match) for match in result.internet])
    return Answer(
        body=body,
        received_at=received_at,
        credits=0 if sandbox else result.actual_credits,
        expected_credits=0 if sandbox else result.expected_credits,
        score=result.score,
        matches=tuple(matches.values()),
        warnings=result.warnings,
        trouble=result.trouble,
        keys=tuple(matches),
    )


def unread_answer(body: bytes, received_at: float, error: Exception) -> Answer:
    """An answer whose parsing failed this time."""
    why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    trouble = f"the answer could not be read ({clean(why)}); the next run tries to read it again"
    return Answer(body, received_at, None, None, None, (), trouble=trouble)


def given_up(body: bytes, received_at: float, credits_: int | None) -> Answer:
    """An answer whose parsing crashed too often."""
    return Answer(body, received_at, credits_, None, None, (), trouble=_GIVEN_UP)


def _match(match: InternetMatch) -> tuple[str, Match]:
    key, domain = key_and_domain(match.url)
    return key, Match(match.url, _KINDS[match.match_type], match.web_pages, domain)
