from __future__ import annotations

import pytest

from batchscan.copyleaks import errors as vendor
from batchscan.copyleaks.errors import Details
from batchscan.engines.interface import Busy, Conflict, Refusal, TokenRefused, Trouble
from batchscan.engines.vendor_mapping import login_reply_to, reply_to, stop_for
from batchscan.enums import FailReason
from batchscan.errors import AuthRefused, NoCredits, Unavailable
from batchscan.model import ServiceError
from batchscan.settings import Api

API = Api()


def details(status: int) -> Details:
    return Details(http_status=status, code="6", message="no")


def said(status: int) -> ServiceError:
    return ServiceError(http_status=status, code="6", message="no")


NETWORK, SERVER, BAD = FailReason.NETWORK, FailReason.SERVER_ERROR, FailReason.BAD_RESPONSE
NOTHING = ServiceError()


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        (vendor.TokenRefused("e", details(401)), TokenRefused(said(401))),
        (vendor.ScanIdConflict("e", details(409)), Conflict(said(409))),
        (vendor.Refused("e", details(413)), Refusal(said(413), final=True)),
        (vendor.Declined("e", details(400)), Refusal(said(400), final=False)),
        (vendor.RateLimited("e", details(429), 7.0), Busy(said(429), 7.0, away=False)),
        (vendor.UnderMaintenance("e", details(503)), Busy(said(503), None, away=True)),
        (
            vendor.ServerFailed("e", details(500)),
            Trouble(SERVER, "e", said(500), ambiguous=True, reached=True),
        ),
        (
            vendor.ServerFailed("e", details(502), sent=False),
            Trouble(SERVER, "e", said(502), ambiguous=False, reached=True),
        ),
        (
            vendor.ServerFailed("e", details(501)),
            Trouble(SERVER, "e", said(501), ambiguous=False, reached=True),
        ),
        (
            vendor.ServerFailed("e", details(504)),
            Trouble(SERVER, "e", said(504), ambiguous=True, reached=True),
        ),
        (
            vendor.ConnectionFailed("e", sent=False, reached=False),
            Trouble(NETWORK, "e", NOTHING, ambiguous=False, reached=False),
        ),
        (
            vendor.ConnectionFailed("e", sent=True, reached=True),
            Trouble(NETWORK, "e", NOTHING, ambiguous=True, reached=True),
        ),
        (
            vendor.BadResponse("e", details(200), b"body"),
            Trouble(BAD, "e", said(200), ambiguous=True, reached=True, body=b"body"),
        ),
    ],
)
def test_what_an_error_means_for_a_picture(error, reply):
    assert reply_to(error, API) == reply


@pytest.mark.parametrize(
    ("error", "stop", "words"),
    [
        (vendor.WrongAddress("HTTP 404"), Unavailable, "https://api.copyleaks.com is not"),
        (vendor.AuthenticationFailed("HTTP 403"), AuthRefused, "may not use the API"),
        (vendor.PaymentRequired("HTTP 402"), NoCredits, "out of credits"),
    ],
)
def test_what_ends_a_run(error, stop, words):
    with pytest.raises(stop, match=words) as raised:
        reply_to(error, API)
    assert raised.value.advice
    assert type(stop_for(error, API)) is stop


def at_login(error: vendor.CopyleaksError) -> vendor.CopyleaksError:
    error.login = True
    return error


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        (vendor.RateLimited("e", None, 300.0), Busy(NOTHING, 300.0, away=True)),
        (vendor.LoginBudgetSpent("e", None, 12.0), Busy(NOTHING, 12.0, away=True)),
        (vendor.UnderMaintenance("e"), Busy(NOTHING, None, away=True)),
        (
            vendor.ServerFailed("e"),
            Trouble(NETWORK, "the login failed: e", NOTHING, ambiguous=False, reached=False),
        ),
        (
            vendor.BadResponse("e"),
            Trouble(NETWORK, "the login failed: e", NOTHING, ambiguous=False, reached=False),
        ),
    ],
)
def test_trouble_with_the_login_costs_a_picture_nothing(error, reply):
    assert login_reply_to(at_login(error), API) == reply
    assert reply_to(at_login(error), API) == reply


def test_a_refused_login_names_the_login_and_a_wrong_address_its_own():
    with pytest.raises(AuthRefused, match="the login was refused"):
        login_reply_to(at_login(vendor.AuthenticationFailed("HTTP 401")), API)
    with pytest.raises(Unavailable, match=r"https://id\.copyleaks\.com"):
        login_reply_to(at_login(vendor.WrongAddress("HTTP 404")), API)


def test_what_passes_is_unavailable_to_a_command_without_pictures():
    stop = stop_for(vendor.ServerFailed("HTTP 500"), API)

    assert isinstance(stop, Unavailable)
    assert "HTTP 500" in str(stop)
