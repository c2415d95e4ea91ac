"""`batchscan alerts test|pending|send`: test targets, and send what is pending."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from batchscan.cli.help import GroupedOption, HelpCommand, HelpGroup
from batchscan.cli.options import folder_options, settings_of
from batchscan.console.terminal import print_data
from batchscan.errors import UsageError
from batchscan.util.escaping import escape_json, printable
from batchscan.util.timestamps import rfc3339

if TYPE_CHECKING:
    from batchscan.alerts import AlertTarget, DeliveryResult
    from batchscan.ledger import PendingSummary
    from batchscan.settings import Settings

NOT_ALL_TOLD = 3


@click.command(
    "test",
    cls=HelpCommand,
    short_help="send a test message to each target now",
    help="Send one message with a made-up match and the event `test` to each target now, and "
    "print what happened. Exits 3 if a target did not get it.",
)
@folder_options
def test(**parameters: object) -> int:
    """Run the command; returns the exit code."""
    from batchscan.commands.scan import run  # noqa: PLC0415 - --help does without

    troubles = run(_send_tests(_targets(settings_of(parameters, credentials=False).settings)))
    print_data(
        "\n".join(f"{name}: {printable(why or 'delivered')}" for name, why in troubles.items())
    )
    return NOT_ALL_TOLD if any(troubles.values()) else 0


@click.command(
    "pending",
    cls=HelpCommand,
    short_help="list messages that are not delivered yet",
    help="Print how many messages are not delivered yet, for which target and since when, and the last error. Nothing is sent.",
)
@click.option(
    "--json", "as_json", is_flag=True, cls=GroupedOption, group="What", help="as one JSON object"
)
@folder_options
def pending(*, as_json: bool, **parameters: object) -> int:
    """Run the command; returns the exit code."""
    from batchscan.state.access import read_ledger  # noqa: PLC0415 - --help does without

    with read_ledger(settings_of(parameters, credentials=False).settings) as ledger:
        waiting = ledger.outbox.pending()
    if as_json:
        print_data(
            escape_json(json.dumps({"schema": 1, "pending": list(map(_fields, waiting))}).encode())
        )
    else:
        print_data("\n".join(map(_line, waiting)) or "no message is pending")
    return 0


@click.command(
    "send",
    cls=HelpCommand,
    short_help="send messages that are not delivered yet",
    help="Send all messages that are not delivered yet, as a scan does at its end. Exits 3 if something could not be delivered.",
)
@folder_options
def send(**parameters: object) -> int:
    """Run the command; returns the exit code."""
    from batchscan.commands.scan import run  # noqa: PLC0415 - --help does without

    settings = settings_of(parameters, credentials=False).settings
    targets = _targets(settings)
    delivered, waiting = run(_send(settings, targets))
    names = {target.name for target in targets}
    for name in sorted(names):
        print_data(f"{name}: {_outcome(name, delivered, waiting)}")
    for summary in waiting.values():
        if summary.target not in names:
            print_data(f"{_line(summary)} (no such target is set)")
    return NOT_ALL_TOLD if names & waiting.keys() else 0


command = HelpGroup(
    "alerts",
    test,
    pending,
    send,
    text="Messages about new matches to the targets in the settings alerts.*",
)


def _targets(settings: Settings) -> tuple[AlertTarget, ...]:
    """The configured targets.

    Raises:
        UsageError: there is none, or one cannot be used.
    """
    from batchscan.alerts import open_targets  # noqa: PLC0415 - as above
    from batchscan.settings.model_groups import ALERT_TARGETS  # noqa: PLC0415

    targets = open_targets(settings.alerts, os.environ)
    if not targets:
        *keys, last = (f"alerts.{key}" for kind in ALERT_TARGETS for key in kind.settings)
        raise UsageError(
            "no alert target is configured",
            advice=f"name a target in the settings: {', '.join(keys)} or {last}",
        )
    return targets


async def _send_tests(targets: Sequence[AlertTarget]) -> dict[str, str | None]:
    """Send a test message to each target; returns the errors by target name."""
    import asyncio  # noqa: PLC0415 - as above

    from batchscan.alerts import sample_message, send_once  # noqa: PLC0415

    message_id, body = sample_message()
    never = asyncio.Event()
    troubles: dict[str, str | None] = {}
    for target in targets:
        trouble = await send_once(target, message_id, body, never)
        troubles[target.name] = None if trouble is None else trouble.what
    return troubles


async def _send(
    settings: Settings, targets: Sequence[AlertTarget]
) -> tuple[DeliveryResult, dict[str, PendingSummary]]:
    """Send pending messages while holding the state lock, as scans send them too."""
    import asyncio  # noqa: PLC0415 - as above

    from batchscan.alerts import deliver  # noqa: PLC0415
    from batchscan.ledger import Ledger, LedgerThread  # noqa: PLC0415
    from batchscan.pace import SystemClock  # noqa: PLC0415
    from batchscan.pipeline.shutdown import Shutdown  # noqa: PLC0415
    from batchscan.settings.locations import state_folder  # noqa: PLC0415
    from batchscan.state.access import (  # noqa: PLC0415
        hold_state,
        realm_of,
    )

    state, clock = state_folder(settings), SystemClock()
    ledger = LedgerThread(Ledger.change(state, realm_of(settings)))
    try:
        async with hold_state(settings, state, Shutdown(clock).sleep):
            delivered = await deliver(targets, ledger, clock, asyncio.Event())
            waiting = await ledger.run(lambda ledger: ledger.outbox.pending())
    finally:
        await ledger.aclose()
    return delivered, {summary.target: summary for summary in waiting}


def _outcome(name: str, delivered: DeliveryResult, waiting: Mapping[str, PendingSummary]) -> str:
    from batchscan.report.wording import amount  # noqa: PLC0415 - as above

    outcome = f"{amount(delivered.sent[name], 'message')} delivered"
    if name not in waiting:
        return outcome
    why = delivered.troubles.get(name)
    return f"{outcome}, {waiting[name].messages:,} left{f': {printable(why)}' if why else ''}"


def _line(summary: PendingSummary) -> str:
    from batchscan.report.wording import amount  # noqa: PLC0415 - as above

    what = f"{amount(summary.messages, 'message')} with {amount(summary.matches, 'match')}"
    line = f"{printable(summary.target)}: {what}, since {rfc3339(summary.since)}"
    if summary.tried_at is None:
        return f"{line}, not tried yet"
    return f"{line}, last tried {rfc3339(summary.tried_at)}: {printable(summary.trouble or '')}"


def _fields(summary: PendingSummary) -> dict[str, object]:
    return {
        "target": summary.target,
        "messages": summary.messages,
        "matches": summary.matches,
        "since": rfc3339(summary.since),
        "attempts": summary.attempts,
        "tried_at": None if summary.tried_at is None else rfc3339(summary.tried_at),
        "trouble": summary.trouble,
    }
