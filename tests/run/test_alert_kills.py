"""The process killed at every step between an answer and its alerts: all is told, and once."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.alerts.conftest import receiver
from tests.support.changing_web import ONE, TWO
from tests.support.processes import Process, killed_at
from tests.support.receiver import names

__all__ = ["receiver"]

# The first call of `make_messages` looks for what killed runs left.
KILLS = (
    ("noted", 1),
    ("settled", 1),
    ("settle-committed", 1),
    ("messages-before", 2),
    ("messages-made", 2),
    ("report-before", 1),
    ("closing", 1),
    ("closed", 1),
    ("sending", 1),
    ("sent", 1),
    ("command-started", 1),
    ("command-ended", 1),
    ("told", 1),
    ("told", 2),
    ("told-committed", 1),
    ("amended", 1),
)
# In these the target has heard of it, and nobody has written that down.
REPEATING = {"sent", "told", "command-ended"}
pytestmark = pytest.mark.slow


def told_to_command(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "told").read_text().splitlines()
    return [json.loads(line) for line in lines if line]


def config_of(web, receiver) -> str:
    """Settings with a webhook, and a command that appends what it gets to a file."""
    path = web.folder / "config.yaml"
    told = web.folder / "told"
    path.write_text(
        f"alerts:\n  webhook:\n    url: {receiver.url}\n"
        f"  on_new: [/bin/sh, -c, 'cat >> {told}; echo >> {told}']\n"
    )
    return str(path)


def assert_each_was_told_once(messages: list[dict[str, Any]], *, repeats: bool) -> None:
    """Messages of the same id are the same message; apart from them nothing is told twice."""
    once = {message["id"]: message for message in messages}
    assert all(message == once[message["id"]] for message in messages)
    assert names([m["url"] for message in once.values() for m in message["matches"]]) == [ONE, TWO]
    assert repeats or len(messages) == len(once)


def assert_nothing_waits(web) -> None:
    with closing(sqlite3.connect(web.folder / "state" / "ledger.sqlite3")) as ledger:
        [left] = ledger.execute(
            "SELECT (SELECT count(*) FROM events),"
            " (SELECT count(*) FROM messages WHERE told_at IS NULL)"
        )
    assert left == (0, 0)


@pytest.mark.parametrize(("point", "nth"), KILLS)
async def test_a_kill_between_answer_and_alert_loses_nothing_and_repeats_only_what_it_must(
    web, receiver, point, nth
):
    words = ("-q", "--force", "-c", config_of(web, receiver))
    web.shows(ONE)
    async with web.bench() as bench:
        assert await Process(bench).run(*words) == (0, "", "")
    web.shows(ONE, TWO)
    async with web.bench() as bench:
        await killed_at(bench, point, nth, *words)
        assert await Process(bench).run(*words) == (0, "", "")

    repeats = point in REPEATING
    assert_each_was_told_once([each.message for each in receiver.taken], repeats=repeats)
    assert_each_was_told_once(told_to_command(web.folder), repeats=repeats)
    assert len({(each.id, each.body) for each in receiver.heard}) == 2
    assert_nothing_waits(web)


@pytest.mark.parametrize("point", ["messages-before", "messages-made", "mending-closed"])
async def test_a_kill_while_the_next_run_closes_the_killed_one_loses_nothing_either(
    web, receiver, point
):
    words = ("-q", "--force", "-c", config_of(web, receiver))
    web.shows(ONE, TWO)
    async with web.bench() as bench:
        await killed_at(bench, "settle-committed", 1, *words)
    web.shows()  # what the killed one saw is gone again when it is asked for
    async with web.bench() as bench:
        await killed_at(bench, point, 1, *words)
        assert await Process(bench).run(*words) == (0, "", "")

    assert_each_was_told_once([each.message for each in receiver.taken], repeats=False)
    assert_each_was_told_once(told_to_command(web.folder), repeats=False)
    assert_nothing_waits(web)


async def test_kill_after_kill_and_a_target_that_is_down_in_between_repeat_the_same_message(
    web, receiver
):
    words = ("-q", "--force", "-c", config_of(web, receiver))
    web.shows(ONE, TWO)
    async with web.bench() as bench:
        await killed_at(bench, "sent", 1, *words)
        receiver.plan = [404]
        code, _, err = await Process(bench).run(*words)
        assert (code, "HTTP 404" in err) == (0, True)
        await killed_at(bench, "sent", 1, *words)
        await killed_at(bench, "told", 1, *words)
        assert await Process(bench).run(*words) == (0, "", "")

    assert [each.status for each in receiver.heard] == [204, 404, 204, 204, 204]
    assert len({(each.id, each.body) for each in receiver.heard}) == 1
    assert_each_was_told_once([each.message for each in receiver.taken], repeats=True)
    assert_each_was_told_once(told_to_command(web.folder), repeats=True)
    assert_nothing_waits(web)
