"""What waits is sent in order, for a bounded time, and goes on waiting where that fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from batchscan.alerts import AlertTarget, deliver, delivery, make_messages
from batchscan.alerts.command import CommandTarget
from batchscan.alerts.delivery import ATTEMPTS, PATIENCE
from batchscan.alerts.webhook import WebhookTarget
from batchscan.ledger import LedgerThread, PendingSummary
from tests.support.clocks import FakeClock
from tests.support.inside import connection_of
from tests.support.ledger_entries import NOW, enter, shown
from tests.support.receiver import receiving


class Night:
    """A ledger to which each run adds a match, and the delivery at its end."""

    def __init__(self, ledger, clock: FakeClock) -> None:
        self.ledger = ledger
        self.thread = LedgerThread(ledger)
        self.clock = clock
        self.runs = 0

    async def found(self, targets: Sequence[AlertTarget]) -> str:
        self.runs += 1
        url = f"https://e.example.com/{self.runs}"
        names = [target.name for target in targets]

        def find(ledger) -> None:
            enter(ledger, f"/p/{self.runs}", [shown(url)], run=f"r{self.runs}")
            make_messages(ledger, names, allows=None, first_answers=True, now=NOW + self.runs)

        # Not through the thread: `enter` makes its own transaction.
        await asyncio.to_thread(find, self.ledger)
        return url

    async def tell(self, *targets: AlertTarget, hurry: asyncio.Event | None = None):
        return await deliver(targets, self.thread, self.clock, hurry or asyncio.Event())

    async def waiting(self) -> dict[str, PendingSummary]:
        found = await self.thread.run(lambda ledger: ledger.outbox.pending())
        return {each.target: each for each in found}


@pytest.fixture
async def night(ledger) -> AsyncIterator[Night]:
    opened = Night(ledger, FakeClock())
    yield opened
    await opened.thread.aclose()


async def test_what_waits_is_sent_once_the_oldest_first(night, receiver):
    target = WebhookTarget(receiver.url)
    urls = [await night.found([target]) for _ in range(3)]
    told = await night.tell(target)
    again = await night.tell(target)

    assert receiver.urls() == urls
    assert (told.sent["webhook"], told.troubles) == (3, {})
    assert (again.sent["webhook"], len(receiver.heard)) == (0, 3)
    assert await night.waiting() == {}


async def test_a_message_is_the_same_at_every_attempt(night, receiver):
    target = WebhookTarget(receiver.url)
    await night.found([target])
    receiver.plan = [0, 500, 503]
    await night.tell(target)

    assert [each.status for each in receiver.heard] == [0, 500, 503, 204]
    assert len({(each.id, each.body) for each in receiver.heard}) == 1


async def test_a_target_that_is_down_is_tried_a_few_times_in_a_minute(night, receiver):
    target = WebhookTarget(receiver.url)
    for _ in range(3):
        await night.found([target])
    receiver.otherwise = 503
    told = await night.tell(target)

    assert len(receiver.heard) == ATTEMPTS
    assert 1 + 2 + 4 + 8 <= night.clock.now <= PATIENCE
    assert told.troubles["webhook"].startswith("HTTP 503 from 127.0.0.1:")
    waiting = (await night.waiting())["webhook"]
    assert (waiting.messages, waiting.matches, waiting.attempts) == (3, 3, ATTEMPTS)
    assert waiting.trouble == told.troubles["webhook"]
    assert (waiting.since, waiting.tried_at) == (NOW + 1, night.clock.wall())


async def test_of_two_targets_one_of_which_is_down_for_long_each_gets_everything_in_order(
    night, receiver, tmp_path
):
    script = f"cat >> {tmp_path}/told; echo >> {tmp_path}/told"
    command = CommandTarget(["/bin/sh", "-c", script], {"PATH": "/usr/bin:/bin"})
    webhook = WebhookTarget(receiver.url)
    urls = []
    for status in (503, 404, 0, 429, 503, 204):
        receiver.otherwise = status
        urls.append(await night.found([webhook, command]))
        told = await night.tell(webhook, command)
        assert told.sent["command"] == 1
        assert set(told.troubles) == ({"webhook"} if status != 204 else set())

    assert receiver.urls() == urls
    lines = (tmp_path / "told").read_text().splitlines()
    assert [line.count(url) for line, url in zip(lines, urls, strict=True)] == [1] * len(urls)
    assert await night.waiting() == {}


async def test_a_rejected_message_does_not_delay_other_targets(night, receiver):
    target = WebhookTarget(receiver.url)
    poison, *others = [await night.found([target]) for _ in range(3)]
    receiver.plan = [413]
    told = await night.tell(target)

    assert receiver.urls() == others
    assert told.sent["webhook"] == 2
    assert "HTTP 413" in told.troubles["webhook"]
    assert (await night.waiting())["webhook"].messages == 1
    await night.tell(target)
    assert receiver.urls() == [*others, poison]


async def test_a_target_that_has_to_be_mended_is_asked_once_a_run(night, receiver):
    target = WebhookTarget(receiver.url)
    await night.found([target])
    await night.found([target])
    receiver.otherwise = 401
    await night.tell(target)
    assert len(receiver.heard) == 1


@pytest.mark.parametrize(("header", "attempts", "least"), [("20", 3, 40), ("3600", 1, 0)])
async def test_a_target_is_left_alone_as_long_as_it_asks_for_or_until_the_next_run(
    night, receiver, header, attempts, least
):
    target = WebhookTarget(receiver.url)
    await night.found([target])
    receiver.otherwise, receiver.headers = 429, {"Retry-After": header}
    await night.tell(target)

    assert len(receiver.heard) == attempts
    assert least <= night.clock.now <= PATIENCE


async def test_a_successful_delivery_resets_the_attempts_of_a_target(night, receiver):
    target = WebhookTarget(receiver.url)
    urls = [await night.found([target]) for _ in range(4)]
    receiver.plan = [503, 503, 503, 503, 204] * 4
    await night.tell(target)
    assert receiver.urls() == urls


async def test_a_run_ends_though_there_is_more_to_report_than_fits(night, receiver):
    class Slow(FakeClock):
        def monotonic(self) -> float:
            self.now += 50
            return self.now

    night.clock = Slow()
    target = WebhookTarget(receiver.url)
    for _ in range(20):
        await night.found([target])
    told = await night.tell(target)

    assert 3 < told.sent["webhook"] < 12
    assert told.troubles == {"webhook": "more had to be sent than fits into 10 minutes"}


async def test_after_a_signal_nothing_is_started(night, receiver):
    target = WebhookTarget(receiver.url)
    await night.found([target])
    hurry = asyncio.Event()
    hurry.set()
    told = await night.tell(target, hurry=hurry)
    assert (receiver.heard, told.troubles) == ([], {})


@pytest.mark.parametrize(("delay", "told"), [(0.2, 1), (20.0, 0)])
async def test_at_a_signal_what_is_under_way_is_finished_if_that_is_quick(
    night, receiver, monkeypatch, delay, told
):
    monkeypatch.setattr(delivery, "GRACE", 0.5)
    target = WebhookTarget(receiver.url)
    await night.found([target])
    await night.found([target])
    receiver.delay = delay
    hurry = asyncio.Event()
    asyncio.get_running_loop().call_later(0.1, hurry.set)
    delivered = await night.tell(target, hurry=hurry)

    assert delivered.sent["webhook"] == told
    assert delivered.troubles == ({} if told else {"webhook": "it was cancelled"})
    assert (await night.waiting())["webhook"].messages == 2 - told


async def test_a_ledger_that_cannot_be_written_is_the_trouble(night, receiver):
    target = WebhookTarget(receiver.url)
    await night.found([target])
    await night.found([target])
    connection_of(night.ledger).execute("PRAGMA query_only = 1")
    told = await night.tell(target)

    assert len(receiver.heard) == 1  # told, and told again some day under the same id
    assert "cannot be used" in told.troubles["webhook"]


async def test_delivered_messages_take_no_space(night, receiver):
    target = WebhookTarget(receiver.url)
    await night.found([target])
    await night.tell(target)
    rows = connection_of(night.ledger).execute(
        "SELECT body, matches, attempts, trouble, told_at FROM messages"
    )
    assert rows.fetchall() == [(b"", 1, 1, None, night.clock.wall())]


async def test_targets_are_notified_at_the_same_time(night):
    async with receiving(delay=0.5) as slow:
        command = CommandTarget(["/bin/sleep", "0.5"], {})
        webhook = WebhookTarget(slow.url)
        await night.found([webhook, command])
        started = asyncio.get_running_loop().time()
        await night.tell(webhook, command)
        assert asyncio.get_running_loop().time() - started < 0.95
