"""`batchscan credits`: the account's balance."""

from __future__ import annotations

import click

from batchscan.cli.help import HelpCommand
from batchscan.cli.options import folder_options, settings_of
from batchscan.console.terminal import print_data


@click.command(cls=HelpCommand, help="Print how many credits are left on the account.")
@folder_options
def command(**parameters: object) -> int:
    """Run the command; returns the exit code."""
    import asyncio  # noqa: PLC0415 - --help does without

    from batchscan.commands.service import balance  # noqa: PLC0415
    from batchscan.settings.credentials import require_credentials  # noqa: PLC0415

    settings = settings_of(parameters, credentials=True).settings
    require_credentials(settings)
    print_data(f"{asyncio.run(balance(settings))}")
    return 0
