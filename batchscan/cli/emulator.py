"""`batchscan emulator`: the vendor's API on this machine, until a signal ends it."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batchscan.cli.common import folder_options, settings_of
from batchscan.cli.pages import Option, Page
from batchscan.cli.terminal import emit, say
from batchscan.errors import UsageError

if TYPE_CHECKING:
    from batchscan.emulator import EmulatorConfig
    from batchscan.settings.units import Rate

_SERVICE = "The service"
_EXPORTS = (
    ("COPYLEAKS_EMAIL", "rehearsal@example.com"),
    ("COPYLEAKS_API_KEY", "00000000-0000-0000-0000-000000000000"),
)
_SECTIONS = (
    (
        "How to use it",
        (
            ("batchscan emulator --web ./web > vendor.env &", ""),
            (". ./vendor.env && batchscan ./images", ""),
        ),
    ),
    (
        "What it also answers, below the address it prints",
        (
            ("/web/NAME", "the pictures and pages below --web DIR"),
            ("/_emulator/journal", "every request so far, one JSON object a line"),
            ("/_emulator/stats", "the requests counted"),
        ),
    ),
)


@click.command(
    cls=Page,
    sections=_SECTIONS,
    help="Be the vendor's API on this machine: a login, checks, credits and limits, at no cost. "
    "Any e-mail and key may log in; copies are found among the pictures in a folder.\n\n"
    "Prints the environment that points batchscan at it, and runs until a signal ends it.",
)
@click.option(
    "--web",
    cls=Option,
    group="The internet",
    metavar="DIR",
    type=click.UNPROCESSED,
    help="the pictures and HTML pages to find copies in",
)
@click.option(
    "--no-search",
    is_flag=True,
    cls=Option,
    group="The internet",
    help="answer that nothing was found, at once; for load tests",
)
@click.option(
    "--port",
    cls=Option,
    group=_SERVICE,
    metavar="N",
    type=click.IntRange(0, 65535),
    default=0,
    help="listen here on 127.0.0.1  [default: any free port]",
)
@click.option(
    "--rate",
    "rates",
    cls=Option,
    group=_SERVICE,
    metavar="N/PERIOD",
    multiple=True,
    type=click.UNPROCESSED,
    help="requests that are not answered with 429; may be repeated  [default: 10/s]",
)
@click.option(
    "--credits",
    "balance",
    cls=Option,
    group=_SERVICE,
    metavar="N",
    type=click.IntRange(0),
    help="the balance at the start  [default: 1000000]",
)
@click.option(
    "--duplicate",
    cls=Option,
    group=_SERVICE,
    metavar="conflict|replay|rescan",
    type=click.Choice(("conflict", "replay", "rescan")),
    help="what a scan id used before gives: 409, the answer again, or a new scan  "
    "[default: replay]",
)
@click.option(
    "--latency",
    cls=Option,
    group=_SERVICE,
    metavar="DURATION",
    type=click.UNPROCESSED,
    help="how long every check takes  [default: 0s]",
)
@click.option(
    "--faults",
    cls=Option,
    group=_SERVICE,
    metavar="FILE",
    type=click.UNPROCESSED,
    help="YAML rules of how it fails: outages, resets, odd answers",
)
@folder_options
def command(
    *,
    web: str | None,
    no_search: bool,
    port: int,
    rates: tuple[str, ...],
    balance: int | None,
    duplicate: str | None,
    latency: str | None,
    faults: str | None,
    **parameters: object,
) -> int:
    """Serve, and give the exit code."""
    import asyncio  # noqa: PLC0415 - --help does without

    settings_of(parameters, credentials=False)
    given = {
        "web": None if web is None else Path(web),
        "search": not no_search,
        "port": port,
        "rates": tuple(map(_rate, rates)) or None,
        "credits": balance,
        "duplicate": duplicate,
        "latency": None if latency is None else _duration(latency),
    }
    config = _config({name: value for name, value in given.items() if value is not None}, faults)
    asyncio.run(_serve(config))
    return 0


def _config(given: dict[str, Any], faults: str | None) -> EmulatorConfig:
    from batchscan.emulator import EmulatorConfig, read_faults  # noqa: PLC0415 - as above

    if faults is not None:
        given["faults"] = read_faults(Path(faults))
    return EmulatorConfig(**given)


async def _serve(config: EmulatorConfig) -> None:
    import asyncio  # noqa: PLC0415 - as above

    from batchscan.emulator import Emulator  # noqa: PLC0415 - as above

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, ended.set)
    try:
        async with Emulator(config) as emulator:
            say(f"batchscan: the emulator listens at {emulator.url}; SIGINT or SIGTERM ends it")
            addresses = (
                ("COPYLEAKS_API_URL", emulator.url),
                ("COPYLEAKS_IDENTITY_URL", emulator.url),
            )
            emit("".join(f"export {name}={value}\n" for name, value in _EXPORTS + addresses))
            await ended.wait()
    except OSError as error:
        raise UsageError(f"port {config.port}: {error.strerror}") from error


def _rate(text: str) -> Rate:
    from batchscan.settings.units import parse_rate  # noqa: PLC0415 - as above

    try:
        rate = parse_rate(text)
    except ValueError as error:
        raise UsageError(f"--rate: {error}") from error
    if rate.requests == 0 or rate.period == 0:
        raise UsageError(f"--rate: {text!r} lets nothing through or everything")
    return rate


def _duration(text: str) -> float:
    from batchscan.settings.units import parse_duration  # noqa: PLC0415 - as above

    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--latency: {error}") from error
