"""`batchscan doctor`: check whether a scan would work, and show its settings."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from batchscan.cli.findings import print_finding
from batchscan.cli.help import GroupedOption, HelpCommand
from batchscan.cli.options import folder_options, settings_of
from batchscan.console.terminal import fitted, print_data
from batchscan.errors import UsageError
from batchscan.settings.catalog import entries
from batchscan.util.escaping import printable

if TYPE_CHECKING:
    from batchscan.commands.checks import Finding
    from batchscan.settings.load import LoadedSettings

_NO_BREAK = "\u00a0"


@click.command(
    cls=HelpCommand,
    help="Check settings, credentials, folders, login, clock and balance, and show where each "
    "setting comes from. Nothing is charged. Exits 0, or with the code that a scan would exit with.",
)
@click.option(
    "--sandbox",
    "call",
    is_flag=True,
    cls=GroupedOption,
    group="What",
    help="also send one tiny picture in the vendor's free mock mode",
)
@folder_options
def command(*, call: bool, **parameters: object) -> int:
    """Run the command; returns the exit code."""
    from batchscan.commands.checks import exit_code  # noqa: PLC0415 - --help does without

    findings = []
    for finding in _findings(parameters, call=call):
        findings.append(finding)
        print_finding(finding, indent="  ")
    return exit_code(findings)


def _findings(parameters: dict[str, object], *, call: bool) -> Iterator[Finding]:
    import asyncio  # noqa: PLC0415 - --help does without

    from batchscan.commands.checks import (  # noqa: PLC0415
        Finding,
        Level,
        check_account,
        check_alerts,
        check_output,
        check_state,
    )
    from batchscan.commands.service import check_service  # noqa: PLC0415

    loaded = settings_of(parameters, credentials=False)
    try:
        loaded = settings_of(parameters, credentials=True)
    except UsageError as error:
        account = Finding.of("credentials", error)
    else:
        account = check_account(loaded.settings)
    print_data("\n".join(_table(loaded)))
    yield account
    yield from check_state(loaded.settings)
    yield check_output(loaded.settings)
    yield from check_alerts(loaded.settings)
    if account.level is Level.OK:
        yield from asyncio.run(check_service(loaded.settings, call=call))


def _table(loaded: LoadedSettings) -> Iterator[str]:
    """A table of every setting, its value and its source."""
    yield f"settings (file: {printable(loaded.file or 'none')})"
    for entry in entries():
        value = entry.show(entry.of(loaded.settings))
        yield _row(entry.key, printable(value), loaded.origins[entry.key])
    key = "(hidden)" if loaded.settings.account.api_key else "null"
    yield _row("account.api_key", key, loaded.origins.get("account.api_key", "default"))
    yield "checks"


def _row(key: str, value: str, origin: str) -> str:
    """A row of the table; a terminal that it is too wide for shows the origin below."""
    return fitted(
        f"  {key:<26} {value:<28} {printable(origin).replace(' ', _NO_BREAK)}", sys.stdout
    )
