"""The network breaks at every moment of a request: over a wire that is cut byte by byte."""

from __future__ import annotations

import gzip
import random
from contextlib import asynccontextmanager

import pytest

from tests.support.fault_cells import (
    PATIENT,
    Told,
    finished_by_the_next_run,
    nothing_is_lost,
    told_by,
)
from tests.support.pictures import bmp, tree
from tests.support.wire import Passage, Script, Wire, let_through

FAILED = {"failed": 1}
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"


@pytest.fixture
def wired(bench_with):
    """A bench whose checks and balance go over a wire; logins do not."""

    @asynccontextmanager
    async def opened(**config):
        async with bench_with(**config) as bench, Wire(bench.emulator.url) as wire:
            yield bench, wire

    return opened


async def cut_before_a_byte(passage: Passage) -> None:
    passage.cut()


async def hang_up_before_a_byte(passage: Passage) -> None:
    pass


async def cut_while_sending(passage: Passage) -> None:
    await passage.some()
    passage.cut()


async def hang_up_while_sending(passage: Passage) -> None:
    await passage.some()


async def cut_after_sending(passage: Passage) -> None:
    await passage.request()
    passage.cut()


async def hang_up_after_sending(passage: Passage) -> None:
    await passage.request()


async def cut_after_the_charge(passage: Passage) -> None:
    await passage.answered()
    passage.cut()


async def hang_up_after_the_charge(passage: Passage) -> None:
    await passage.answered()


async def hang_up_in_the_status(passage: Passage) -> None:
    await passage.say((await passage.answered())[:7])


async def hang_up_in_the_head(passage: Passage) -> None:
    await passage.say((await passage.answered()).partition(b"\r\n\r\n")[0])


async def hang_up_before_the_body(passage: Passage) -> None:
    head, end, _ = (await passage.answered()).partition(b"\r\n\r\n")
    await passage.say(head + end)


async def hang_up_in_the_body(passage: Passage) -> None:
    await passage.say((await passage.answered())[:-30])  # more than a checksum


async def say_no_http(passage: Passage) -> None:
    await passage.answered()
    await passage.say(bytes(range(256)) * 4)


async def say_another_status(passage: Passage) -> None:
    answer = await passage.answered()
    await passage.say(answer.replace(b" 200 OK", b" 2OO OK", 1))


async def break_the_compression(passage: Passage) -> None:
    await passage.answered()
    await passage.say(JSON + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x00" + bytes(50))


async def send_a_bomb(passage: Passage) -> None:
    await passage.answered()
    bomb = gzip.compress(bytes(65 * 1024 * 1024), 1)
    await passage.say(JSON + b"Content-Encoding: gzip\r\n\r\n" + bomb)


async def answer_nothing(passage: Passage) -> None:
    await passage.answered()
    await passage.say(JSON + b"Content-Length: 0\r\n\r\n")


async def answer_nested_lists(passage: Passage) -> None:
    await passage.answered()
    await passage.say(JSON + b"\r\n" + b"[" * 200_000)


async def answer_as_a_portal(passage: Passage) -> None:
    """What a hotel's network says to everybody."""
    await passage.request()
    await passage.say(JSON.replace(b"application/json", b"text/html") + b"\r\n<html>Log in!</html>")


NOT_SENT = Told(3, FAILED, "network")
PERHAPS = Told(3, FAILED, "outcome_unknown", 1)
UNREADABLE = Told(3, FAILED, "bad_response", 1)
# What a run tells that tries once, and what the account was charged.
BREAKS: dict[Script, tuple[Told, int]] = {
    cut_before_a_byte: (NOT_SENT, 0),
    hang_up_before_a_byte: (NOT_SENT, 0),
    cut_while_sending: (NOT_SENT, 0),
    hang_up_while_sending: (NOT_SENT, 0),
    cut_after_sending: (PERHAPS, 0),
    hang_up_after_sending: (PERHAPS, 0),
    cut_after_the_charge: (PERHAPS, 1),
    hang_up_after_the_charge: (PERHAPS, 1),
    hang_up_in_the_status: (PERHAPS, 1),
    hang_up_in_the_head: (PERHAPS, 1),
    hang_up_before_the_body: (UNREADABLE, 1),
    hang_up_in_the_body: (UNREADABLE, 1),
    say_no_http: (UNREADABLE, 1),
    say_another_status: (UNREADABLE, 1),
    break_the_compression: (UNREADABLE, 1),
    send_a_bomb: (UNREADABLE, 1),
    answer_nothing: (UNREADABLE, 1),
    answer_nested_lists: (UNREADABLE, 1),
    answer_as_a_portal: (UNREADABLE, 0),
}


def picture_for(break_it: Script) -> bytes:
    """One larger than what sockets hold, where it must not leave whole."""
    return bmp(2000, 1400, 7) if BREAKS[break_it][0] is NOT_SENT else bmp(20, 20, 7)


@pytest.mark.slow
@pytest.mark.parametrize("break_it", BREAKS, ids=lambda script: script.__name__)
async def test_a_lasting_failure_fails_the_picture_and_the_next_run_asks_again(wired, break_it):
    expected, charged = BREAKS[break_it]
    async with wired() as (bench, wire):
        tree(bench.images, {"p000.bmp": picture_for(break_it)})
        wire.script = break_it
        first = await bench.scan(api=wire.api(**PATIENT, attempts=1))

        assert told_by(first) == expected
        assert bench.charged() == charged
        wire.script = let_through
        second = await finished_by_the_next_run(bench, first, api=wire.api(**PATIENT))
        assert bench.charged() == 1  # the answer that was lost is given again
        assert len({entry.scan_id for entry in bench.checks()}) == 1
        nothing_is_lost(bench, first, second)
        assert second.report.credits.charged == 1


@pytest.mark.slow
@pytest.mark.parametrize("break_it", BREAKS, ids=lambda script: script.__name__)
async def test_a_passing_failure_is_retried_under_the_same_id(wired, break_it):
    expected, _ = BREAKS[break_it]
    async with wired() as (bench, wire):
        tree(bench.images, {"p000.bmp": picture_for(break_it)})
        wire.once = [break_it, break_it]
        first = await bench.scan(api=wire.api(**PATIENT))

        assert told_by(first) == Told(unknown=2 * expected.unknown)
        assert first.lines["p000.bmp"].attempts == 3
        assert bench.charged() == first.report.credits.charged == 1
        assert len({entry.scan_id for entry in bench.checks()}) == 1
        await finished_by_the_next_run(bench, first, api=wire.api(**PATIENT))


@pytest.mark.slow
@pytest.mark.parametrize("duplicate", ["replay", "rescan", "conflict"])
@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_breaks_the_books_hold_what_was_paid(wired, seed, duplicate):
    async with wired(duplicate=duplicate) as (bench, wire):
        bench.pictures(40)
        chance = random.Random(seed)
        scripts = [script for script in BREAKS if script is not send_a_bomb]
        wire.once = [chance.choice([*scripts, *[let_through] * 20]) for _ in range(60)]
        first = await bench.scan(api=wire.api(**PATIENT, attempts=2))
        nothing_is_lost(bench, first)
        second = await bench.scan(api=wire.api(**PATIENT))

        assert first.report.files.seen == 40
        assert second.exit_code == 0
        assert second.report.files.unchanged == first.report.files.scanned
        assert set(first.statuses()) <= {"scanned", "failed"}
        assert set(first.reasons()) <= {"network", "bad_response", "outcome_unknown"}
        nothing_is_lost(bench, first, second)
        assert first.report.credits.charged + second.report.credits.charged == 40
        paid_twice = bench.charged() - 40
        assert paid_twice == 0 if duplicate == "replay" else paid_twice > 0
