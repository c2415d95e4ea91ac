"""`batchscan alerts`, as a process of its own, with a server on loopback and real commands."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from batchscan.alerts import make_messages
from batchscan.cli import main
from batchscan.ledger import Ledger, Realm
from batchscan.settings.model import Api
from batchscan.state.lock import StateLock
from tests.alerts.conftest import receiver
from tests.support.ledger_entries import NOW, enter, shown
from tests.support.processes import command

__all__ = ["receiver"]

KEY = "s1gning-s3cret"


@dataclass
class Desk:
    """A folder with settings and a ledger, and the commands of somebody who sits at it."""

    folder: Path
    environ: dict[str, str]

    def settings(self, text: str) -> None:
        (self.folder / "config.yaml").write_text(f"alerts:\n{text}")

    def found(self, *targets: str) -> None:
        """Let a run have found two copies, and told nobody."""
        (self.folder / "state").mkdir(exist_ok=True)
        ledger = Ledger.open(
            self.folder / "state", Realm(Api().url, sandbox=False), record_events=True
        )
        enter(
            ledger, "/p/1.jpg", [shown("https://e.example.com/1"), shown("https://e.example.com/2")]
        )
        with ledger.transaction():
            make_messages(ledger, targets, allows=None, first_answers=True, now=NOW)
        ledger.close()

    async def says(self, *words: str) -> tuple[int, str, str]:
        folders = ("-c", str(self.folder / "config.yaml"), "--state", str(self.folder / "state"))
        return await command(["alerts", *words, *folders], self.environ | {"HOOK": KEY})


@pytest.fixture
def desk(tmp_path, environ) -> Desk:
    return Desk(tmp_path, environ)


def webhook(receiver) -> str:
    return f"  webhook:\n    url: {receiver.url}\n    secret_env: HOOK\n"


@pytest.mark.slow
async def test_a_test_goes_to_each_target_and_says_what_happened(desk, receiver):
    told = desk.folder / "told"
    desk.settings(
        f"{webhook(receiver)}  on_new: [/bin/sh, -c, 'cat > {told}; echo >&2 no; exit 3']\n"
    )
    assert await desk.says("test") == (3, "webhook: delivered\ncommand: exit code 3: no\n", "")
    desk.settings(webhook(receiver))
    assert await desk.says("test") == (0, "webhook: delivered\n", "")

    first, second = receiver.heard
    assert first.message["event"] == "test"
    assert first.message == json.loads(told.read_bytes())
    assert first.id != second.id
    assert first.headers["X-Batchscan-Signature"].startswith("sha256=")
    assert not (desk.folder / "state").exists()


@pytest.mark.slow
async def test_what_is_pending_is_listed_for_people_and_for_programs(desk, receiver):
    desk.settings("  {}\n")
    desk.found()
    assert await desk.says("pending") == (0, "no message is pending\n", "")
    desk.found("webhook", "apprise:slack")
    code, out, _ = await desk.says("pending")
    assert code == 0
    assert out.splitlines() == [
        f"{name}: 1 message with 2 matches, since 2026-11-23T18:02:37.000Z, not tried yet"
        for name in ("apprise:slack", "webhook")
    ]
    receiver.otherwise = 404
    desk.settings(webhook(receiver))
    await desk.says("send")
    _, out, _ = await desk.says("pending", "--json")
    read = json.loads(out)
    assert read["schema"] == 1
    [slack, hook] = read["pending"]
    assert (slack["target"], slack["attempts"], slack["tried_at"]) == ("apprise:slack", 0, None)
    assert (hook["messages"], hook["matches"], hook["attempts"]) == (1, 2, 1)
    assert hook["trouble"].startswith("HTTP 404 from 127.0.0.1:")


async def test_what_waits_can_be_sent_without_a_scan(desk, receiver):
    desk.settings(webhook(receiver))
    desk.found("webhook", "command")
    receiver.plan = [401]
    code, out, _ = await desk.says("send")
    assert code == 3
    assert out.splitlines()[0].startswith(
        "webhook: 0 messages delivered, 1 left: HTTP 401 from 127."
    )
    assert out.splitlines()[1].endswith("not tried yet (no such target is set)")
    code, out, _ = await desk.says("send")
    assert (code, out.splitlines()[0]) == (0, "webhook: 1 message delivered")
    assert sorted(receiver.urls()) == ["https://e.example.com/1", "https://e.example.com/2"]


async def test_nothing_is_sent_beside_a_scan(desk, receiver):
    desk.settings(webhook(receiver))
    desk.found("webhook")
    lock = StateLock(desk.folder / "state", "fail")
    lock.acquire()
    code, _, err = await desk.says("send")
    lock.release()
    assert (code, receiver.heard) == (7, [])
    assert "another run holds" in err


async def test_sending_without_a_ledger_creates_none(desk, receiver):
    desk.settings(webhook(receiver))
    code, _, err = await desk.says("send")
    assert (code, "there is no ledger" in err) == (9, True)
    assert not (desk.folder / "state").exists()


@pytest.mark.parametrize("word", ["test", "send"])
def test_without_a_target_no_alert_is_sent(tmp_path, capsys, word):
    config = tmp_path / "config.yaml"
    config.write_text("alerts: {}\n")
    assert main(["alerts", word, "-c", str(config)]) == 2
    said = capsys.readouterr()
    assert "no alert target is configured" in said.err
    assert "alerts.webhook.url" in said.err


async def test_no_command_shows_a_secret(desk, receiver):
    desk.settings(webhook(receiver))
    desk.found("webhook")
    receiver.otherwise, receiver.answer = 500, f"{receiver.url} {KEY}"
    said = [await desk.says(word) for word in ("test", "pending")]
    for _, out, err in said:
        for secret in (KEY, "T0-s3cr3t"):
            assert secret not in out + err


def test_the_doctor_looks_at_the_targets_and_hides_their_addresses(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HOOK", KEY)
    config = tmp_path / "config.yaml"
    hook = "webhook: {url: 'https://hooks.example.com/T0-s3cr3t', secret_env: HOOK}"
    words = ["doctor", "-c", str(config), "--state", str(tmp_path / "state")]
    config.write_text(f"alerts: {{{hook}, on_new: [/bin/true]}}\n")
    main(words)
    fine = capsys.readouterr().out
    assert "ok       alerts: webhook, command; `batchscan alerts test` sends a test" in fine
    assert "https://hooks.example.com/***" in fine
    assert "T0-s3cr3t" not in fine
    config.write_text(f"alerts: {{{hook}, on_new: [/no/such/command]}}\n")
    assert main(words) == 2
    assert (
        "problem  alerts: alerts.on_new: '/no/such/command' does not exist"
        in capsys.readouterr().out
    )
