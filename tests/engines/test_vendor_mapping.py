from __future__ import annotations

import pytest

from batchscan.copyleaks import errors as vendor
from batchscan.copyleaks.errors import ServiceError
from batchscan.engines.interface import Conflict, Refused, Throttled, TokenRejected, TransientError
from batchscan.engines.vendor_mapping import to_login_reply, to_reply, to_stop
from batchscan.enums import FailReason
from batchscan.errors import AuthRefused, NoCredits, Unavailable
from batchscan.settings import Api

API = Api()


def details(status: int) -> ServiceError:
    return ServiceError(http_status=status, code="6", message="no")


NETWORK, SERVER, BAD = FailReason.NETWORK, FailReason.SERVER_ERROR, FailReason.BAD_RESPONSE
NOTHING = ServiceError()


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        (vendor.TokenRefused("e", details(401)), TokenRejected(details(401))),
        (vendor.ScanIdConflict("e", details(409)), Conflict(details(409))),
        (vendor.PictureRefused("e", details(413)), Refused(details(413), final=True)),
        (vendor.Declined("e", details(400)), Refused(details(400), final=False)),
        (vendor.RateLimited("e", details(429), 7.0), Throttled(details(429), 7.0, away=False)),
        (vendor.UnderMaintenance("e", details(503)), Throttled(details(503), None, away=True)),
        (
            vendor.ServerFailed("e", details(500)),
            TransientError(SERVER, "e", details(500), ambiguous=True, reached=True),
        ),
        (
            vendor.ServerFailed("e", details(502), sent=False),
            TransientError(SERVER, "e", details(502), ambiguous=False, reached=True),
        ),
        (
            vendor.ServerFailed("e", details(501)),
            TransientError(SERVER, "e", details(501), ambiguous=False, reached=True),
        ),
        (
            vendor.ServerFailed("e", details(504)),
            TransientError(SERVER, "e", details(504), ambiguous=True, reached=True),
        ),
        (  # a gateway's: no answer in time
            vendor.ServerFailed("e", details(524)),
            TransientError(SERVER, "e", details(524), ambiguous=True, reached=True),
        ),
        (  # it did not connect
            vendor.ServerFailed("e", details(523)),
            TransientError(SERVER, "e", details(523), ambiguous=False, reached=True),
        ),
        (
            vendor.ConnectionFailed("e", sent=False, reached=False),
            TransientError(NETWORK, "e", NOTHING, ambiguous=False, reached=False),
        ),
        (
            vendor.ConnectionFailed("e", sent=True, reached=True),
            TransientError(NETWORK, "e", NOTHING, ambiguous=True, reached=True),
        ),
        (
            vendor.BadResponse("e", details(200), b"body"),
            TransientError(BAD, "e", details(200), ambiguous=True, reached=True, body=b"body"),
        ),
    ],
)
def test_a_picture_error_becomes_its_outcome(error, reply):
    assert to_reply(error, API) == reply


@pytest.mark.parametrize(
    ("error", "stop", "words"),
    [
        (vendor.WrongAddress("HTTP 404"), Unavailable, "https://api.copyleaks.com is not"),
        (vendor.AuthenticationFailed("HTTP 403"), AuthRefused, "may not use the API"),
        (vendor.PaymentRequired("HTTP 402"), NoCredits, "out of credits"),
    ],
)
def test_a_fatal_error_ends_the_run(error, stop, words):
    with pytest.raises(stop, match=words) as raised:
        to_reply(error, API)
    assert raised.value.advice
    assert type(to_stop(error, API)) is stop


def at_login(error: vendor.CopyleaksError) -> vendor.CopyleaksError:
    error.login = True
    return error


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        (vendor.RateLimited("e", None, 300.0), Throttled(NOTHING, 300.0, away=True)),
        (vendor.LoginBudgetSpent("e", None, 12.0), Throttled(NOTHING, 12.0, away=True)),
        (vendor.UnderMaintenance("e"), Throttled(NOTHING, None, away=True)),
        (
            vendor.ServerFailed("e"),
            TransientError(NETWORK, "the login failed: e", NOTHING, ambiguous=False, reached=False),
        ),
        (
            vendor.BadResponse("e"),
            TransientError(NETWORK, "the login failed: e", NOTHING, ambiguous=False, reached=False),
        ),
    ],
)
def test_trouble_with_the_login_costs_a_picture_nothing(error, reply):
    assert to_login_reply(at_login(error), API) == reply
    assert to_reply(at_login(error), API) == reply


def test_a_refused_login_names_the_login_and_a_wrong_address_its_own():
    with pytest.raises(AuthRefused, match="the login was refused"):
        to_login_reply(at_login(vendor.AuthenticationFailed("HTTP 401")), API)
    with pytest.raises(Unavailable, match=r"https://id\.copyleaks\.com"):
        to_login_reply(at_login(vendor.WrongAddress("HTTP 404")), API)


def test_a_temporary_error_is_unavailable_to_a_command_without_pictures():
    stop = to_stop(vendor.ServerFailed("HTTP 500"), API)

    assert isinstance(stop, Unavailable)
    assert "HTTP 500" in str(stop)
