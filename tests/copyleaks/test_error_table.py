from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.copyleaks import errors
from batchscan.copyleaks.error_table import failure, read_details, retry_after
from tests.support.servers import JSON

NOW = 1_800_000_000.0
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
STRUCTURED = {"error": {"type": "t", "id": "i", "code": 6, "message": "too large"}}
PROBLEM = {"type": "https://tools.ietf.org/html/rfc9110", "title": "Unauthorized", "traceId": TRACE}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (101, b"", errors.WrongAddress),
        (202, b"", errors.BadResponse),
        (204, b"", errors.BadResponse),
        (301, b"", errors.WrongAddress),
        (400, b"{}", errors.Declined),
        (400, b'{"error": {"code": 10}}', errors.PictureRefused),
        (400, b'{"error": {"code": "24"}}', errors.PictureRefused),
        (400, b'{"error": {"code": 17}}', errors.PaymentRequired),
        (400, b'{"Code": 13}', errors.PaymentRequired),
        (401, b"", errors.TokenRefused),
        (401, b'{"error": {"code": 6}}', errors.TokenRefused),
        (402, b"", errors.PaymentRequired),
        (401, b'{"error": {"code": 13}}', errors.PaymentRequired),
        (403, b"", errors.AuthenticationFailed),
        (403, b'{"error": {"code": 10}}', errors.AuthenticationFailed),
        (403, b'{"error": {"code": 13}}', errors.PaymentRequired),
        (500, b'{"error": {"code": 17}}', errors.PaymentRequired),
        (500, b'{"error": {"code": 6}}', errors.ServerFailed),
        (404, b"<html>", errors.WrongAddress),
        (405, b"", errors.WrongAddress),
        (409, b"", errors.ScanIdConflict),
        (413, b"", errors.PictureRefused),
        (415, b"", errors.PictureRefused),
        (418, b"", errors.Declined),
        (429, b'{"error": "Rate limit exceeded",}', errors.RateLimited),
        (500, b"", errors.ServerFailed),
        (503, b"", errors.UnderMaintenance),
        (504, b"", errors.ServerFailed),
        (599, b"", errors.ServerFailed),
        (999, b"", errors.ServerFailed),
    ],
)
def test_every_status_and_code_means_what_the_table_says(status, body, kind):
    assert type(failure(status, {}, body, now=NOW)) is kind


@pytest.mark.parametrize("status", [400, 401, 402, 403, 409, 413, 422])
def test_every_4xx_of_the_login_is_a_refused_login(status):
    error = failure(status, {}, b'{"Key": ["The key field is required."]}', login=True, now=NOW)

    assert isinstance(error, errors.AuthenticationFailed)
    assert error.login


def test_an_error_code_about_credits_is_not_a_refused_login():
    error = failure(503, {}, b'{"error": {"code": 13}}', login=True, now=NOW)

    assert type(error) is errors.UnderMaintenance


@pytest.mark.parametrize("status", [404, 429, 503, 500])
def test_a_login_error_not_about_the_account_is_not_a_refused_login(status):
    error = failure(status, {}, b"", login=True, now=NOW)

    assert not isinstance(error, errors.AuthenticationFailed)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (STRUCTURED, {"type": "t", "id": "i", "code": "6", "message": "too large"}),
        (PROBLEM, {"message": "Unauthorized", "trace_id": TRACE}),
        ({"message": "Invalid login credentials."}, {"message": "Invalid login credentials."}),
        ({"Message": "Bad request."}, {"message": "Bad request."}),
        ({"error": "Rate limit exceeded"}, {"message": "Rate limit exceeded"}),
        ({"Key": ["The key field is required."]}, {"message": "key: The key field is required."}),
        ({"error": {"code": True, "message": 5}}, {"code": None, "message": None}),
        ([1, 2], {"message": "[1, 2]"}),
    ],
)
def test_every_documented_shape_is_read(body, expected):
    details = read_details(400, json.dumps(body).encode())

    assert {name: getattr(details, name) for name in expected} == expected
    assert details.http_status == 400


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", None),
        (b"The date is wrong.", "The date is wrong."),
        (b"<html><head><title>502 Bad\nGateway</title>", "a web page (502 Bad Gateway)"),
        (b"  <div>", "a web page"),
        (b"\x1b[31mred\x00", "\ufffd[31mred\ufffd"),
        (b'{"error": "Rate limit exceeded",}', '{"error": "Rate limit exceeded",}'),
        (b"x" * 5000, "x" * 300),
    ],
)
def test_what_is_no_json_becomes_one_short_printable_line(body, message):
    assert read_details(500, body).message == message


@given(st.integers(300, 599), st.binary(max_size=300), st.booleans())
def test_no_body_of_bytes_surprises(status, body, login):
    error = failure(status, {}, body, login=login, now=NOW)

    assert isinstance(error, errors.CopyleaksError)
    str(error).encode()


NAMES = st.sampled_from(["error", "Error", "message", "code", "type", "id", "traceId", "title"])


@given(st.dictionaries(NAMES, JSON | st.dictionaries(NAMES, JSON)))
def test_no_json_surprises(body):
    details = read_details(400, json.dumps(body).encode())

    for word in (details.type, details.code, details.id, details.trace_id, details.message):
        assert word is None or (word.isprintable() and len(word) <= 300)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        (" 1.5 ", 1.5),
        ("0", 0.0),
        ("-5", None),
        ("soon", None),
        ("1e9", None),
        ("99999999999999", 1e9),
        ("9" * 5_000, 1e9),
        ("Fri, 15 Jan 2027 08:01:40 GMT", 100.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
        ("Fri, 99 Jan 2027 08:01:40 GMT", None),
    ],
)
def test_both_forms_of_retry_after_are_read(value, seconds):
    assert retry_after(value, NOW) == seconds


@given(st.text())
def test_no_retry_after_surprises(value):
    waited = retry_after(value, NOW)

    assert waited is None or waited >= 0
