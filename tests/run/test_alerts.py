"""Whole scans of a changing web, and who was told of what at their ends."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sqlite3

import pytest

from batchscan import Alerts, Scan, Webhook
from batchscan.errors import UsageError
from tests.alerts.conftest import receiver
from tests.support.changing_web import ONE, TWO
from tests.support.processes import Process, until
from tests.support.receiver import names
from tests.support.result_lines import read_lines

__all__ = ["receiver"]


def alerts(receiver, **changes) -> Alerts:
    return Alerts(webhook=Webhook(url=receiver.url), **changes)


def events_left(web) -> int:
    with sqlite3.connect(web.folder / "state" / "ledger.sqlite3") as ledger:
        [[number]] = ledger.execute("SELECT count(*) FROM events")
    ledger.close()
    return int(number)


def report_of(web, ran):
    return json.loads(
        (web.folder / "output" / "runs" / ran.report.run.id / "report.json").read_bytes()
    )


async def test_only_what_is_new_is_reported_once_when_a_run_ends(web, receiver):
    to_me = {"alerts": alerts(receiver)}
    web.shows(ONE)
    first = await web.scan(**to_me)
    await web.scan(force=True, **to_me)
    web.shows(TWO)
    third = await web.scan(force=True, **to_me)
    web.shows(ONE, TWO)
    await web.scan(force=True, **to_me)

    assert [names([m["url"] for m in each.message["matches"]]) for each in receiver.taken] == [
        [ONE], [TWO], [ONE],
    ]  # fmt: skip
    assert [each.message["matches"][0]["state"] for each in receiver.taken] == [
        "new", "new", "returned",
    ]  # fmt: skip
    assert receiver.taken[0].message["run_id"] == first.report.run.id
    [line] = read_lines(f"{web.folder}/output/runs/{third.report.run.id}/results.jsonl")
    shown = receiver.taken[1].message["matches"][0]
    match = next(match for match in line.matches if match.state == "new")
    for field in ("url", "kind", "state", "pages", "domain", "first_seen"):
        assert shown[field] == getattr(match, field)
    assert (shown["path"], shown["sha256"]) == (line.path, line.sha256)


async def test_the_report_says_how_the_delivery_of_alerts_went(web, receiver):
    to_me = {"alerts": alerts(receiver)}
    web.shows(ONE)
    receiver.otherwise = 503
    down = await web.scan(**to_me)
    receiver.otherwise = 204
    up = await web.scan(**to_me)
    quiet = await web.scan(**to_me)

    assert (down.exit_code, up.exit_code, quiet.exit_code) == (0, 0, 0)
    [trouble] = down.report.alerts.troubles
    assert (down.report.alerts.told, down.report.alerts.pending) == (0, 1)
    assert (trouble.target, trouble.pending) == ("webhook", 1)
    assert trouble.trouble.startswith("HTTP 503 from 127.0.0.1:")
    assert report_of(web, down)["alerts"]["troubles"][0]["trouble"] == trouble.trouble
    assert report_of(web, up)["alerts"] == {"told": 1, "pending": 0, "troubles": []}
    assert report_of(web, quiet)["alerts"] == {"told": 0, "pending": 0, "troubles": []}
    page = web.folder / "output" / "runs" / down.report.run.id / "report.html"
    assert "1 message waits for the next run" in page.read_text()
    assert "webhook did not get all alerts: HTTP 503" in page.read_text()


async def test_a_regenerated_report_shows_delivered_alerts(web, receiver, capsysbinary):
    web.shows(ONE)
    await web.scan(alerts=alerts(receiver))
    assert web.command("report") == 0
    assert b"Alerts: 1 message delivered." in capsysbinary.readouterr().out
    assert web.command("report", "--markdown", "-") == 0
    assert b"Alerts: 1 message delivered." in capsysbinary.readouterr().out


async def test_a_target_that_fails_is_warned_of_and_fails_nothing(web, receiver, caplog):
    web.shows(ONE)
    receiver.otherwise = 404
    with caplog.at_level(logging.WARNING, "batchscan"):
        ran = await web.scan(alerts=alerts(receiver))
    assert ran.exit_code == 0
    assert "webhook did not get all alerts: HTTP 404 from 127.0.0.1:" in caplog.text


async def test_what_is_allowed_or_not_mine_is_not_reported(web, receiver, tmp_path):
    rules = tmp_path / "allow.yaml"
    rules.write_text("- {url: '*/one.example/*', reason: our own shop}\n")
    web.shows(ONE, TWO)
    await web.scan(alerts=alerts(receiver), scan={"allow": str(rules)})
    assert names(receiver.urls()) == [TWO]
    web.command("mark", "not-mine", "*/two.example/*")
    web.shows()
    await web.scan(alerts=alerts(receiver), force=True)
    web.shows(TWO)
    await web.scan(alerts=alerts(receiver), force=True)
    assert names(receiver.urls()) == [TWO]


async def test_a_first_answer_can_be_silent(web, receiver):
    silent = {"alerts": alerts(receiver, first_answer="silent")}
    web.shows(ONE)
    await web.scan(**silent)
    assert receiver.heard == []
    web.shows(ONE, TWO)
    await web.scan(force=True, **silent)
    assert names(receiver.urls()) == [TWO]


async def test_without_targets_nothing_is_kept_for_any(web, receiver):
    web.shows(ONE)
    ran = await web.scan()
    assert (ran.report.alerts, events_left(web)) == (None, 0)
    await web.scan(alerts=alerts(receiver))
    assert receiver.heard == []


@pytest.mark.parametrize("rehearsal", [{"dry_run": True}, {"api": {"sandbox": True}}])
async def test_rehearsals_notify_nobody_and_need_no_target(web, receiver, rehearsal):
    web.shows(ONE)
    if "dry_run" in rehearsal:
        receiver.otherwise = 503
        await web.scan(alerts=alerts(receiver))
        receiver.heard.clear()
    broken = Alerts(webhook=Webhook(receiver.url, "NOT_SET"), on_new=("no-such-command",))
    ran = await web.scan(alerts=broken, force=True, **rehearsal)
    assert (ran.exit_code, ran.report.alerts, receiver.heard) == (0, None, [])


@pytest.mark.parametrize(
    "broken",
    [
        Alerts(webhook=Webhook("https://hooks.example.com", "NOT_SET")),
        Alerts(on_new=("no-such-command",)),
        Alerts(on_new=("bin/tell",)),
        Alerts(webhook=Webhook("http://hooks.example.com")),
    ],
)
async def test_a_target_that_cannot_work_ends_the_run_before_anything_is_sent(web, broken):
    web.shows(ONE)
    async with web.bench() as bench:
        with pytest.raises(UsageError, match=r"^alerts\."):
            await bench.scan(alerts=broken)
        assert bench.checks() == []
        assert not (web.folder / "state" / "ledger.sqlite3").exists()


async def test_what_killed_runs_saw_is_reported_by_the_next_one_as_theirs(web, receiver):
    web.shows(ONE)
    receiver.otherwise = 503
    first = await web.scan(alerts=alerts(receiver))
    with sqlite3.connect(web.folder / "state" / "ledger.sqlite3") as ledger:
        # as a kill before the closing leaves it
        ledger.execute("UPDATE runs SET closed = 0, report = NULL")
        ledger.execute("DELETE FROM messages")
        ledger.execute(
            "INSERT INTO events (realm_id, run_id, picture_id, key, event, first)"
            " SELECT 1, arrived_in, picture_id, key, 'new', 1 FROM sightings"
        )
    ledger.close()
    receiver.otherwise = 204
    web.shows()  # gone when the next one looks, and told all the same: it was there
    second = await web.scan(alerts=alerts(receiver), force=True)

    assert [each.message["run_id"] for each in receiver.taken] == [first.report.run.id]
    assert names(receiver.urls()) == [ONE]
    assert second.report.alerts.told == 1
    assert events_left(web) == 0


async def test_a_stopped_run_leaves_its_alerts_to_the_next_one(web, receiver):
    web.shows(ONE)
    async with web.bench() as bench:
        async with Scan(bench.settings(alerts=alerts(receiver)), bench.clock) as run:
            async for _ in run:
                run.request_stop(signal.SIGTERM)
        assert (run.exit_code, receiver.heard) == (143, [])
        assert run.report.alerts is not None
        assert run.report.alerts.pending == 1
    await web.scan(alerts=alerts(receiver))
    assert names(receiver.urls()) == [ONE]


async def test_a_signal_during_alert_delivery_ends_the_run_soon_with_the_same_exit_code(
    web, receiver, monkeypatch
):
    monkeypatch.setattr("batchscan.alerts.delivery.GRACE", 0.1)
    web.shows(ONE)
    receiver.delay = 20.0
    async with web.bench() as bench:
        async with Scan(bench.settings(alerts=alerts(receiver)), bench.clock) as run:
            notifier = asyncio.create_task(until(lambda: receiver.asked))
            notifier.add_done_callback(lambda _: run.request_stop(signal.SIGINT))
            async for _ in run:
                pass
        assert (run.exit_code, run.error) == (0, None)
        assert run.report.run.exit_reason == "ok"
        assert run.report.alerts is not None
        assert [trouble.trouble for trouble in run.report.alerts.troubles] == ["it was cancelled"]
    receiver.delay = 0.0
    await web.scan(alerts=alerts(receiver))
    assert names(receiver.urls()) == [ONE]


async def test_messages_are_signed_with_the_secret_of_the_environment(web, receiver, monkeypatch):
    monkeypatch.setenv("HOOK", "s1gning")
    web.shows(ONE)
    await web.scan(alerts=Alerts(webhook=Webhook(receiver.url, "HOOK")))
    assert receiver.heard[0].headers["X-Batchscan-Signature"].startswith("sha256=")


async def test_a_quiet_scan_reports_only_failed_targets(web, receiver):
    web.shows(ONE)
    config = web.folder / "config.yaml"
    config.write_text(f"alerts:\n  webhook:\n    url: {receiver.url}\n")
    receiver.plan = [404]
    async with web.bench() as bench:
        down = await Process(bench).run("-q", "-c", str(config))
        up = await Process(bench).run("-q", "-c", str(config))

    code, out, err = down
    assert (code, out, len(err.splitlines())) == (0, "", 1)
    assert err.startswith("batchscan: webhook did not get all alerts: HTTP 404 from 127.0.0.1")
    assert up == (0, "", "")
    assert names(receiver.urls()) == [ONE]
