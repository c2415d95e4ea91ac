from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from batchscan.copyleaks.client import ApiAccount, CopyleaksClient
from batchscan.copyleaks.errors import (
    AuthenticationFailed,
    BadResponse,
    CopyleaksError,
    Declined,
    ServerFailed,
    TokenRefused,
)
from batchscan.copyleaks.requests import check_form
from batchscan.copyleaks.responses import read_check
from tests.support.inside import shown_of
from tests.support.servers import scripted, serving, transport, whole_request

KEY, TOKEN, NOW = "0f3b-the-key", "aGVs+bG8/the-token", 1_800_000_000.0
FORM = check_form("scan-1", b"picture", "a.png", "image/png", sandbox=False)


class Service:
    """Answers each route as it is told."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.login: Any = {"access_token": TOKEN}
        self.check: tuple[int, Any] = (200, {"matches": {"internet": []}})
        self.credits: tuple[int, Any] = (200, {"Amount": 7})

    async def answer(self, request: web.Request) -> web.Response:
        await request.read()
        self.asked.append(f"{request.method} {request.path}")
        status, body = {
            "/v3/account/login/api": self.login if isinstance(self.login, tuple)
            else (200, self.login),
            "/v3/scans/credits": self.credits,
        }.get(request.path, self.check)  # fmt: skip
        if isinstance(body, bytes):
            return web.Response(status=status, body=body, headers={"Date": "not a date"})
        return web.json_response(body, status=status)


@pytest.fixture
def service():
    return Service()


@asynccontextmanager
async def asking(service: Service, folder) -> AsyncIterator[CopyleaksClient]:
    async with (
        serving(web.route("*", "/{any:.*}", service.answer)) as url,
        transport(read_timeout=5.0) as sender,
    ):
        account = ApiAccount(url, url, "me@example.com", KEY)
        yield CopyleaksClient(account, sender, folder / "token.json", lambda: NOW)


async def test_a_check_logs_in_and_asks_at_the_vendors_addresses(service, tmp_path):
    async with asking(service, tmp_path) as client:
        checked = await client.check("scan-1", FORM)

    assert read_check(checked.body).internet == ()
    assert checked.headers["content-type"].startswith("application/json")
    assert service.asked == [
        "POST /v3/account/login/api",
        "POST /v1/image-plagiarism-detector/scan-1/check",
    ]


@pytest.mark.parametrize("scan_id", ["ab", "a" * 37, "Upper", "a/b", "a b", "a%2e", "", "abc\n"])
async def test_a_scan_id_that_some_rule_of_the_vendors_refuses_is_never_sent(
    service, tmp_path, scan_id
):
    async with asking(service, tmp_path) as client:
        await client.login()
        with pytest.raises(ValueError, match="not a scan id"):
            await client.check(scan_id, FORM)

    assert len(service.asked) == 1


async def test_a_balance_is_asked_again_once_after_a_new_login(service, tmp_path):
    service.credits = (401, b"")
    async with asking(service, tmp_path) as client:
        with pytest.raises(TokenRefused):
            await client.credits()

    assert [line.split()[0] for line in service.asked] == ["POST", "GET", "POST", "GET"]


async def test_no_login_or_balance_can_be_the_answer_to_an_earlier_request(tmp_path):
    """What a server repeats on a connection: neither says what was asked."""
    asked: list[str] = []

    async def repeat(reader, writer):
        first = None
        while True:
            request = (await whole_request(reader)).split(b" ")[1].decode()
            asked.append(request.rpartition("/")[2])
            body: dict[str, object] = {"access_token": f"token-{len(asked)}"}
            if "credits" in request:
                body = {"Amount": len(asked)}
            data = json.dumps(body).encode()
            first = first or b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(data), data)
            writer.write(first)

    async with scripted(repeat) as url, transport(read_timeout=5.0) as sender:
        account = ApiAccount(url, url, "me@example.com", KEY)
        client = CopyleaksClient(account, sender, tmp_path / "token.json", lambda: NOW)
        tokens = [await client.token()]
        balances = [await client.credits(), await client.credits()]
        client.refused(tokens[0])
        tokens.append(await client.token())

    assert asked == ["api", "credits", "credits", "api"]
    assert (tokens, balances) == (["token-1", "token-4"], [2, 3])


async def test_a_large_answer_is_read_like_a_small_one(service, tmp_path):
    entries = [{"url": f"https://a{n}.example/{'x' * 100}", "matchType": 0} for n in range(1000)]
    service.check = (200, {"matches": {"internet": entries}})
    async with asking(service, tmp_path) as client:
        checked = await client.check("scan-1", FORM)

    assert len(checked.body) > 64 * 1024
    assert len(read_check(checked.body).internet) == 1000


@pytest.mark.parametrize("status", [201, 202, 203, 206])
async def test_another_success_is_an_answer_if_it_names_the_scan_id(service, tmp_path, status):
    answer = {"matches": {"internet": []}, "scannedImage": {"scanId": "scan-1"}}
    async with asking(service, tmp_path) as client:
        service.check = (status, answer)
        assert b"matches" in (await client.check("scan-1", FORM)).body
        for other in (
            {"matches": answer["matches"]},
            {"scannedImage": answer["scannedImage"]},
            answer | {"scannedImage": {"scanId": "scan-2"}},
        ):
            service.check = (status, other)
            with pytest.raises(BadResponse):
                await client.check("scan-1", FORM)


async def test_a_key_that_the_login_echoes_is_not_shown(service, tmp_path):
    service.login = (401, {"message": f"The key {KEY} is not known."})
    async with asking(service, tmp_path) as client:
        with pytest.raises(AuthenticationFailed, match=r"The key \*\*\* is not") as refused:
            await client.login()

    assert refused.value.login
    assert KEY not in repr(refused.value) + repr(refused.value.details)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": {"id": TOKEN, "code": TOKEN, "message": f"no: {TOKEN}"}}, Declined),
        (500, f"Authorization: Bearer {TOKEN}".encode(), ServerFailed),
        (500, TOKEN.join(('{"error": "', '"}')).replace("+", "\\u002B").encode(), ServerFailed),
        (401, {"title": TOKEN, "traceId": TOKEN}, TokenRefused),
    ],
)
async def test_a_token_that_an_error_echoes_is_not_shown(service, tmp_path, status, body, kind):
    service.check = (status, body)
    async with asking(service, tmp_path) as client:
        with pytest.raises(CopyleaksError) as failed:
            await client.check("scan-1", FORM)

    assert type(failed.value) is kind
    assert "***" in repr(failed.value.details)
    assert "the-token" not in repr(failed.value) + repr(failed.value.details)


@pytest.mark.parametrize("answer", [(204, b""), (202, {"access_token": TOKEN}), (200, b"{")])
async def test_a_login_that_nobody_can_read_keeps_nothing_of_it(service, tmp_path, answer):
    service.login = answer
    async with asking(service, tmp_path) as client:
        with pytest.raises(BadResponse) as bad:
            await client.login()

    assert (bad.value.login, bad.value.body) == (True, b"")


async def test_the_services_clock_is_known_where_it_is_sent(service, tmp_path):
    async with asking(service, tmp_path) as client:
        await client.login()
        told = client.server_time
        service.credits = (200, b'{"Amount": 7}')  # with a date that is none
        await client.credits()

    assert told is not None
    assert client.server_time == told


async def test_no_object_shows_key_or_token(service, tmp_path):
    async with asking(service, tmp_path) as client:
        await client.login()
        told = shown_of(client)

    assert KEY not in told
    assert "the-token" not in told
