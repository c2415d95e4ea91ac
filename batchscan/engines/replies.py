"""What each error of the vendor means for a picture or for the run, as one table."""

from __future__ import annotations

from batchscan.copyleaks import errors as vendor
from batchscan.errors import AuthRefused, NoCredits, StopRun, Unavailable
from batchscan.model import ServiceError
from batchscan.names import FailReason
from batchscan.replies import Busy, Conflict, Refusal, Reply, TokenRefused, Trouble
from batchscan.settings import Api

# What answers so once it has the whole picture may have charged it: the service failed on the way,
# a gateway lost its answer, or gave up waiting while the service went on.
MAY_CHARGE = (500, 502, 504)


def reply_to(error: vendor.CopyleaksError, api: Api) -> Reply:
    """Say what an error means for a picture.

    Raises:
        AuthRefused: the account cannot be used.
        NoCredits: it has no credits left.
        Unavailable: this is not the API.
    """
    if error.login:
        return login_reply_to(error, api)
    if isinstance(error, vendor.TokenRefused):
        return TokenRefused(_details(error))
    _stop_for_good(error, api)
    return _of_picture(error)


def login_reply_to(error: vendor.CopyleaksError, api: Api) -> Busy | Trouble:
    """Say what an error of the login means: nothing was sent, so no attempt is used.

    Raises:
        AuthRefused: the login was refused.
        Unavailable: this is not the login.
    """
    _stop_for_good(error, api)
    details = _details(error)
    if isinstance(error, vendor.RateLimited | vendor.UnderMaintenance):
        return Busy(details, error.retry_after, away=True)
    detail = f"the login failed: {error}"
    return Trouble(FailReason.NETWORK, detail, details, ambiguous=False, reached=False)


def stop_for(error: vendor.CopyleaksError, api: Api) -> StopRun:
    """Say what an error means for a command that has no pictures."""
    try:
        _stop_for_good(error, api)
    except StopRun as stop:
        return stop
    return Unavailable(
        f"the API did not answer as it should: {error}",
        advice="try again later; see the vendor's status page",
    )


def _stop_for_good(error: vendor.CopyleaksError, api: Api) -> None:
    """Raise what asking again would not mend."""
    match error:
        case vendor.WrongAddress():
            raise _wrong_address(error, api) from error
        case vendor.AuthenticationFailed():
            raise _auth_refused(error) from error
        case vendor.PaymentRequired():
            raise NoCredits(
                f"the account is out of credits ({error})",
                advice="buy credits, then run the same command: it goes on where it stopped",
            ) from error
        case _:
            return


def _wrong_address(error: vendor.CopyleaksError, api: Api) -> Unavailable:
    where = api.identity_url if error.login else api.url
    return Unavailable(
        f"{where} is not the API's address ({error})",
        advice="check api.url and api.identity_url (COPYLEAKS_API_URL, COPYLEAKS_IDENTITY_URL)",
    )


def _auth_refused(error: vendor.CopyleaksError) -> AuthRefused:
    what = "the login was refused" if error.login else "the account may not use the API"
    return AuthRefused(
        f"{what} ({error})", advice="check COPYLEAKS_EMAIL and the API key; see `batchscan doctor`"
    )


def _of_picture(error: vendor.CopyleaksError) -> Reply:
    details = _details(error)
    match error:
        case vendor.ScanIdConflict():
            return Conflict(details)
        case vendor.Refused():
            return Refusal(details, final=True)
        case vendor.RateLimited(retry_after=wait):
            return Busy(details, wait, away=False)
        case vendor.UnderMaintenance(retry_after=wait):
            return Busy(details, wait, away=True)
        case vendor.Declined():
            return Refusal(details, final=False)
        case _:
            return _trouble(error, details)


def _trouble(error: vendor.CopyleaksError, details: ServiceError) -> Trouble:
    match error:
        case vendor.ConnectionFailed(sent=sent, reached=reached):
            return Trouble(FailReason.NETWORK, str(error), details, sent, reached)
        case vendor.OtherAnswer(body=body, fresh=fresh):
            reason = FailReason.BAD_RESPONSE
            return Trouble(reason, str(error), details, True, True, body, other=True, fresh=fresh)
        case vendor.BadResponse(body=body):
            return Trouble(FailReason.BAD_RESPONSE, str(error), details, True, True, body)
        case _:
            sent = not isinstance(error, vendor.ServerFailed) or error.sent
            charged = sent and details.http_status in MAY_CHARGE
            return Trouble(FailReason.SERVER_ERROR, str(error), details, charged, reached=True)


def _details(error: vendor.CopyleaksError) -> ServiceError:
    said = error.details
    return ServiceError(
        said.http_status, said.type, said.code, said.id, said.trace_id, said.message
    )
