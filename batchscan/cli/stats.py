"""`batchscan stats`: matches found, decided and taken down, by week or month."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from batchscan.cli.help import GroupedOption, HelpCommand
from batchscan.cli.options import allow_option, folder_options, sandbox_option, settings_of
from batchscan.console.terminal import print_data

if TYPE_CHECKING:
    from batchscan.stats.periods import By


@click.command(
    cls=HelpCommand,
    help="Print what was found, reviewed, noticed and removed by week or month, how many days "
    "removals took, by site and by folder, and what was paid. Nothing is sent.",
)
@click.option(
    "--by",
    type=click.Choice(["week", "month"]),
    default="week",
    show_default=True,
    cls=GroupedOption,
    group="What",
    help="weeks start on Mondays; times are UTC",
)
@click.option(
    "--json", "as_json", is_flag=True, cls=GroupedOption, group="What", help="as one JSON object"
)
@sandbox_option
@allow_option
@folder_options
def command(*, by: By, as_json: bool, **parameters: object) -> int:
    """Run the command; returns the exit code."""
    import msgspec  # noqa: PLC0415

    from batchscan.allow.active import ActiveAllowRules  # noqa: PLC0415
    from batchscan.state.access import read_ledger  # noqa: PLC0415
    from batchscan.stats import statistics, table  # noqa: PLC0415
    from batchscan.util.escaping import escape_json  # noqa: PLC0415 - --help does without

    settings, now = settings_of(parameters, credentials=False).settings, time.time()
    rules = ActiveAllowRules.of(settings, now).rules
    with read_ledger(settings) as ledger:
        figures = statistics(ledger, by, now, settings.spend.credit_price, rules)
    if as_json:
        print_data(escape_json(msgspec.json.format(msgspec.json.encode(figures), indent=2)) + b"\n")
    else:
        print_data(table(figures))
    return 0
