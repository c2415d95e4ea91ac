from __future__ import annotations

import asyncio
import json
import stat
import sys

import msgspec
import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from batchscan.copyleaks.client import read_grant
from batchscan.copyleaks.errors import (
    AuthenticationFailed,
    BadResponse,
    ConnectionFailed,
    LoginBudgetSpent,
    RateLimited,
)
from batchscan.copyleaks.token_provider import LIFE, AccessToken, TokenFile, TokenProvider, binding
from tests.support.servers import JSON

START = 1_800_000_000.0
BOUND = binding("https://api", "https://id", "me@example.com", "the-key")


class Vendor:
    """Counts logins, and answers as it is told."""

    def __init__(self) -> None:
        self.now = START
        self.logins = 0
        self.error: Exception | None = None
        self.token: str | None = None  # of every login

    async def login(self) -> AccessToken:
        self.logins += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return AccessToken(self.token or f"token-{self.logins}", self.now + LIFE)

    def provider(self, folder, bound_to: str = BOUND) -> TokenProvider:
        return TokenProvider(folder / "token.json", bound_to, self.login, lambda: self.now)


@pytest.fixture
def vendor():
    return Vendor()


async def test_however_many_ask_there_is_one_login(vendor, tmp_path):
    provider = vendor.provider(tmp_path)
    tokens = await asyncio.gather(*(provider.token() for _ in range(50)))

    assert set(tokens) == {"token-1"}
    assert vendor.logins == provider.logins == 1


async def test_the_next_run_uses_the_token_of_the_last(vendor, tmp_path):
    await vendor.provider(tmp_path).token()
    vendor.now += 40 * 3600

    assert await vendor.provider(tmp_path).token() == "token-1"
    assert vendor.logins == 1


async def test_a_token_is_renewed_five_minutes_early(vendor, tmp_path):
    provider = vendor.provider(tmp_path)
    await provider.token()
    vendor.now += LIFE - 301
    assert provider.ready
    vendor.now += 2

    assert not provider.ready
    assert await provider.token() == "token-2"


async def test_the_file_is_private_and_does_not_show_the_key(vendor, tmp_path):
    await vendor.provider(tmp_path / "state").token()
    path = tmp_path / "state" / "token.json"

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "the-key" not in path.read_text()
    assert json.loads(path.read_bytes())["bound_to"] == BOUND


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"bound_to": 5}',
        b'{"bound_to": "x", "logins": ["a"]}',
        b"\xff",
        b"[]",
        b"[" * 9999,
    ],
)
async def test_a_torn_token_file_counts_as_none(vendor, tmp_path, content):
    (tmp_path / "token.json").write_bytes(content)

    assert await vendor.provider(tmp_path).token() == "token-1"


async def test_the_token_of_another_account_or_address_is_not_used(vendor, tmp_path):
    await vendor.provider(tmp_path).token()
    other = binding("http://127.0.0.1:1", "https://id", "me@example.com", "the-key")

    assert await vendor.provider(tmp_path, other).token() == "token-2"


async def test_a_token_from_the_future_is_not_trusted(vendor, tmp_path):
    vendor.now += 86_400
    await vendor.provider(tmp_path).token()
    vendor.now -= 86_400

    assert await vendor.provider(tmp_path).token() == "token-2"


async def test_a_refused_token_is_replaced_once_for_all(vendor, tmp_path):
    provider = vendor.provider(tmp_path)
    old = await provider.token()
    for _ in range(20):
        provider.refused(old)
    tokens = await asyncio.gather(*(provider.token() for _ in range(20)))

    assert set(tokens) == {"token-2"}
    assert vendor.logins == 2


async def test_a_stragglers_refusal_does_not_bring_a_refused_token_back(vendor, tmp_path):
    provider = vendor.provider(tmp_path)
    old = await provider.token()
    provider.refused(old)
    new = await provider.token()
    provider.refused(new)
    provider.refused(old)

    assert await provider.token() == "token-3"


async def test_a_refused_token_that_a_login_returns_again_is_used(vendor, tmp_path):
    vendor.token = "the-same"
    provider = vendor.provider(tmp_path)
    for _ in range(3):
        provider.refused(await provider.token())  # the later two may have left before the login
    assert await provider.token() == "the-same"
    assert vendor.logins == 2

    vendor.now += 301
    provider.refused(await provider.token())
    assert await provider.token() == "the-same"
    assert vendor.logins == 3


async def test_a_kept_token_that_would_end_its_header_counts_as_none(vendor, tmp_path):
    kept = TokenFile(bound_to=BOUND, access_token="a\r\nX: 1", issued_at=START, expires_at=9e9)
    (tmp_path / "token.json").write_bytes(msgspec.json.encode(kept))

    assert await vendor.provider(tmp_path).token() == "token-1"
    assert "X: 1" not in repr(kept)


async def test_all_waiters_for_a_login_share_its_failure(vendor, tmp_path):
    provider = vendor.provider(tmp_path)
    vendor.error = AuthenticationFailed("HTTP 401")
    results = await asyncio.gather(*(provider.token() for _ in range(64)), return_exceptions=True)
    assert {type(result) for result in results} == {AuthenticationFailed}
    assert vendor.logins == 1

    vendor.error = None
    assert await provider.token() == "token-2"


async def test_logins_that_reach_nobody_do_not_count(vendor, tmp_path):
    provider = vendor.provider(tmp_path)
    vendor.error = ConnectionFailed("down", sent=False, reached=False)
    for _ in range(20):
        with pytest.raises(ConnectionFailed):
            await provider.token()
    vendor.error = None

    assert await vendor.provider(tmp_path).token() == "token-21"
    assert provider.logins == 0


async def test_logins_that_may_have_arrived_count(vendor, tmp_path):
    provider = vendor.provider(tmp_path)
    vendor.error = ConnectionFailed("reset", sent=True, reached=True)
    for _ in range(12):
        with pytest.raises(ConnectionFailed):
            await provider.token()

    with pytest.raises(LoginBudgetSpent, match="12 in 15 minutes"):
        await provider.token()
    assert vendor.logins == provider.logins == 12


async def test_logins_count_even_where_the_file_cannot_be_written(vendor, tmp_path):
    (tmp_path / "token.json").mkdir()
    provider = vendor.provider(tmp_path)
    for _ in range(12):
        provider.refused(await provider.token())

    with pytest.raises(LoginBudgetSpent):
        await provider.token()


async def test_a_newer_token_of_another_process_saves_the_login(vendor, tmp_path):
    one, other = vendor.provider(tmp_path), vendor.provider(tmp_path)
    old = await one.token()
    assert await other.token() == old
    one.refused(old)
    new = await one.token()
    other.refused(old)

    assert await other.token() == new
    assert vendor.logins == 2


async def test_the_thirteenth_login_in_fifteen_minutes_is_not_sent(vendor, tmp_path):
    provider = vendor.provider(tmp_path)
    for _ in range(12):
        provider.refused(await provider.token())
        vendor.now += 1
    provider = vendor.provider(tmp_path)  # as another process has it
    provider.refused("token-12")
    with pytest.raises(LoginBudgetSpent) as spent:
        await provider.token()
    assert vendor.logins == 12
    assert spent.value.login
    wait = spent.value.retry_after or 0.0
    assert 800 < wait <= 900

    vendor.now += wait + 1
    assert await provider.token() == "token-13"


async def test_logins_of_other_accounts_count_too(vendor, tmp_path):
    for number in range(12):
        await vendor.provider(tmp_path, f"account {number}").token()

    with pytest.raises(LoginBudgetSpent):
        await vendor.provider(tmp_path, "account 13").token()


async def test_a_blocked_login_is_left_alone_for_five_minutes_by_every_process(vendor, tmp_path):
    vendor.error = RateLimited("HTTP 429", retry_after=2.0)
    with pytest.raises(RateLimited) as blocked:
        await vendor.provider(tmp_path).token()
    assert blocked.value.retry_after == 300

    vendor.error = None
    vendor.now += 299
    with pytest.raises(LoginBudgetSpent):
        await vendor.provider(tmp_path).token()
    vendor.now += 2
    await vendor.provider(tmp_path).token()
    assert vendor.logins == 2


async def test_a_block_is_kept_for_an_hour_at_most(vendor, tmp_path):
    vendor.error = RateLimited("HTTP 429", retry_after=1e9)
    with pytest.raises(RateLimited) as blocked:
        await vendor.provider(tmp_path).token()
    assert blocked.value.retry_after == 1e9

    vendor.error = None
    with pytest.raises(LoginBudgetSpent, match="has blocked") as spent:
        await vendor.provider(tmp_path).token()
    assert spent.value.retry_after == pytest.approx(3600)
    vendor.now += 3601
    assert await vendor.provider(tmp_path).token() == "token-2"


async def test_a_block_from_before_the_clock_was_set_back_does_not_last(vendor, tmp_path):
    vendor.error = RateLimited("HTTP 429")
    with pytest.raises(RateLimited):
        await vendor.provider(tmp_path).token()
    vendor.error = None
    vendor.now -= 30 * 86_400

    assert await vendor.provider(tmp_path).token() == "token-2"


async def test_a_cancelled_wait_for_another_process_leaves_no_lock(vendor, tmp_path):
    provider = vendor.provider(tmp_path)
    with FileLock(tmp_path / "token.json.lock"):
        waiting = asyncio.create_task(provider.token())
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    assert await asyncio.wait_for(vendor.provider(tmp_path).token(), 60) == "token-1"


async def test_cancelling_one_waiter_does_not_stop_the_others(vendor, tmp_path):
    provider = vendor.provider(tmp_path)
    waiting = [asyncio.create_task(provider.token()) for _ in range(5)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    results = await asyncio.gather(*waiting, return_exceptions=True)

    assert isinstance(results[0], asyncio.CancelledError)
    assert len(set(results[1:])) == 1
    assert await asyncio.wait_for(provider.token(), 60)


async def test_a_folder_that_cannot_be_written_costs_only_the_sharing(vendor, tmp_path):
    (tmp_path / "token.json").mkdir()
    provider = vendor.provider(tmp_path)

    assert await provider.token() == "token-1"
    assert await provider.token() == "token-1"


PROCESS = """
import asyncio, sys, time
from pathlib import Path
from batchscan.copyleaks.token_provider import AccessToken, TokenProvider
folder = Path(sys.argv[1])
async def login():
    with open(folder / "logins", "a") as file:
        file.write("login\\n")
    await asyncio.sleep(0.3)
    return AccessToken("shared", time.time() + 48 * 3600)
print(asyncio.run(TokenProvider(folder / "token.json", "b", login, time.time).token()))
"""


async def test_processes_share_one_login(tmp_path):
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROCESS, str(tmp_path), stdout=asyncio.subprocess.PIPE
        )
        for _ in range(4)
    ]
    outputs = [(await process.communicate())[0] for process in processes]

    assert {output.strip() for output in outputs} == {b"shared"}
    assert (tmp_path / "logins").read_text() == "login\n"


def test_a_binding_differs_with_each_of_its_parts_and_hides_the_key():
    parts = ["https://api", "https://id", "me@example.com", "the-key"]
    bindings = {binding(*parts)}
    for number in range(4):
        bindings.add(binding(*[p + "x" if n == number else p for n, p in enumerate(parts)]))

    assert len(bindings) == 5
    assert not any("the-key" in one for one in bindings)


@pytest.mark.parametrize(
    ("issued", "expires", "life"),
    [
        ("2025-07-31T10:19:40.0690015Z", "2025-08-02T10:19:40.0690016Z", LIFE),
        ("2018-11-24T16:15:38.2431255+02:00", "2018-11-26T16:15:38.2431256+02:00", LIFE),
        ("2018-11-24T16:15:38", "2018-11-24T17:15:38", 3600.0),
        (None, None, LIFE),
        ("then", "later", LIFE),
    ],
)
def test_a_tokens_life_is_reckoned_by_the_services_own_clock(issued, expires, life):
    body = {"access_token": "abc", ".issued": issued, ".expires": expires}
    grant = read_grant(json.dumps(body).encode(), START)

    assert grant.token == "abc"
    assert grant.expires_at - START == pytest.approx(life, abs=0.001)


async def test_a_token_that_expires_as_it_is_issued_is_believed_to_live(vendor, tmp_path):
    async def login() -> AccessToken:
        vendor.logins += 1
        return AccessToken("t", vendor.now)

    provider = TokenProvider(tmp_path / "token.json", BOUND, login, lambda: vendor.now)
    await provider.token()
    await provider.token()

    assert vendor.logins == 1


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"access_token": 5}', b'{"access_token": "a\\r\\nX-Evil: 1"}']
)
def test_without_a_usable_token_a_login_is_a_bad_response(body):
    with pytest.raises(BadResponse):
        read_grant(body, START)


@given(st.binary(max_size=200) | JSON.map(json.dumps).map(str.encode))
def test_no_login_answer_surprises(body):
    try:
        grant = read_grant(body, START)
    except BadResponse:
        return
    assert grant.token.isprintable()
