from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import re
import subprocess
from email.utils import formatdate
from pathlib import Path

import pytest

from batchscan.alerts import send_once
from batchscan.alerts.interface import RetryPolicy
from batchscan.alerts.webhook import MAX_READ, WebhookTarget
from batchscan.settings import Secret
from tests.support.receiver import PATH, receiving
from tests.support.servers import scripted, whole_request

PAGE = Path(__file__).parents[2] / "batchscan" / "docs" / "alerts.md"
KEY = "s1gning-s3cret"
BODY = b'{"schema":1,"id":"0123","matches":[]}'


def shell(line: str, folder: Path) -> str:
    environment = os.environ | {"SECRET": KEY}
    return subprocess.run(
        ["sh", "-c", line], cwd=folder, env=environment, check=True, capture_output=True, text=True
    ).stdout


async def sent(url: str, **options):
    return await send_once(WebhookTarget(url, **options), "0123", BODY, asyncio.Event())


async def test_a_message_arrives_whole_and_signed(receiver):
    assert await sent(f"{receiver.url}/?sig=a%2Fb+c", secret=Secret(KEY)) is None

    [heard] = receiver.heard
    signature = hmac.new(KEY.encode(), BODY, hashlib.sha256).hexdigest()
    assert heard.body == BODY
    assert heard.headers["X-Batchscan-Signature"] == f"sha256={signature}"
    assert heard.headers["Idempotency-Key"] == "0123"
    assert heard.headers["Content-Type"] == "application/json"
    assert heard.headers["User-Agent"].startswith("batchscan/")


async def test_a_signature_is_checked_as_the_readme_says(receiver, tmp_path):
    await sent(receiver.url, secret=Secret(KEY))
    [line] = re.findall(r"`(openssl [^`]*)`", PAGE.read_text())
    (tmp_path / "BODY").write_bytes(receiver.heard[0].body)
    printed = shell(line, tmp_path)
    assert receiver.heard[0].headers["X-Batchscan-Signature"] == f"sha256={printed.split()[-1]}"


async def test_without_a_secret_nothing_is_signed(receiver):
    assert await sent(receiver.url) is None
    assert "X-Batchscan-Signature" not in receiver.heard[0].headers


async def test_the_address_is_sent_as_it_was_written():
    lines = []

    async def script(reader, writer):
        lines.append((await whole_request(reader)).splitlines()[0])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with scripted(script) as url:
        assert await sent(f"{url}/a%2Fb/?sig=%2f+x%3d&t=~") is None
    assert lines == [b"POST /a%2Fb/?sig=%2f+x%3d&t=~ HTTP/1.1"]


@pytest.mark.parametrize(
    ("status", "then"),
    [
        (500, RetryPolicy.TRY_AGAIN), (502, RetryPolicy.TRY_AGAIN), (503, RetryPolicy.TRY_AGAIN),
        (408, RetryPolicy.TRY_AGAIN), (425, RetryPolicy.TRY_AGAIN), (429, RetryPolicy.TRY_AGAIN),
        (400, RetryPolicy.NEXT_MESSAGE), (413, RetryPolicy.NEXT_MESSAGE), (422, RetryPolicy.NEXT_MESSAGE),
        (301, RetryPolicy.NEXT_RUN), (401, RetryPolicy.NEXT_RUN), (404, RetryPolicy.NEXT_RUN), (410, RetryPolicy.NEXT_RUN),
    ],
)  # fmt: skip
async def test_a_status_says_what_to_do_next(receiver, status, then):
    receiver.otherwise, receiver.answer = status, "no \x1b[2J such\nhook"
    trouble = await sent(receiver.url)

    assert trouble is not None
    assert trouble.then is then
    assert trouble.what.startswith(f"HTTP {status} from 127.0.0.1:")
    assert trouble.what.isprintable()


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_2xx_means_that_it_arrived(receiver, status):
    receiver.otherwise = status
    assert await sent(receiver.url) is None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(receiver, status):
    async with receiving() as other:
        receiver.otherwise, receiver.headers = status, {"Location": other.url}
        trouble = await sent(receiver.url, secret=Secret(KEY))
    assert trouble is not None
    assert "redirects are not followed" in trouble.what
    assert (len(receiver.heard), other.heard) == (1, [])


@pytest.mark.parametrize(
    ("header", "after"),
    [("17", 17.0), (formatdate(1_800_000_030, usegmt=True), 30.0), ("soon", 0.0), ("-5", 0.0)],
)
async def test_retry_after_is_honoured(receiver, header, after):
    receiver.otherwise, receiver.headers = 429, {"Retry-After": header}
    trouble = await sent(receiver.url, now=lambda: 1_800_000_000.0)
    assert trouble is not None
    assert trouble.after == after


async def test_a_server_that_hangs_up_or_is_away_is_tried_again(receiver):
    receiver.otherwise = 0
    for url in (receiver.url, "http://127.0.0.1:1/hook"):
        trouble = await sent(url)
        assert trouble is not None
        assert trouble.then is RetryPolicy.TRY_AGAIN
        assert trouble.what.startswith("no answer from 127.0.0.1:")


async def test_a_server_that_answers_no_http_or_an_endless_error_harms_nobody():
    async def babble(reader, writer):
        await whole_request(reader)
        writer.write(b"220 smtp ready\r\n")

    async def endless(reader, writer):
        await whole_request(reader)
        writer.write(b"HTTP/1.1 500 No\r\n\r\n")
        for _ in range(100 * 2**20 // 2**16):
            writer.write(b"x" * 2**16)
            await writer.drain()
        pytest.fail("all of it was read")

    async with scripted(babble) as url:
        trouble = await sent(url)
        assert trouble is not None
        assert "no answer" in trouble.what
    async with scripted(endless) as url:
        trouble = await sent(url)
        assert trouble is not None
        assert len(trouble.what) < MAX_READ / 10


async def test_a_slow_server_is_given_up_in_time(receiver):
    receiver.delay = 30.0
    target = WebhookTarget(receiver.url)
    trouble = await send_once(target, "0123", BODY, asyncio.Event(), 1.0)
    assert trouble is not None
    assert trouble.what == "no result after 1 s"


@pytest.mark.parametrize("status", [400, 401, 500])
@pytest.mark.parametrize(
    "answer",
    ["SECRET", "/ SECRET", '{"message": "SECRET"}', "<title>SECRET</title>", "x" * 1190 + "SECRET"],
)
async def test_a_server_that_echoes_secrets_does_not_bring_them_into_messages(
    receiver, status, answer
):
    url = f"{receiver.url}?sig=k3y%2d0f"
    target = WebhookTarget(url, Secret(KEY))
    secrets = (KEY, url, f"{PATH}?sig=k3y-0f", "T0-s3cr3t", "k3y%2d0f", "k3y-0f")
    receiver.otherwise, receiver.answer = status, answer.replace("SECRET", " ".join(secrets))
    trouble = await send_once(target, "0123", BODY, asyncio.Event())

    assert trouble is not None
    for secret in (KEY, "T0-s3cr3t", "k3y"):
        assert secret not in f"{trouble} {target!r} {vars(target)['_secret']}"


async def test_a_proxy_of_the_environment_is_no_way_to_this_machine(receiver, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert await sent(receiver.url) is None
