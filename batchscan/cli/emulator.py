"""`batchscan emulator`: run an emulator of the vendor's API until a signal."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batchscan.cli.help import GroupedOption, HelpCommand
from batchscan.cli.options import folder_options, port_error, settings_of
from batchscan.console.terminal import print_data, print_status
from batchscan.util import system

if TYPE_CHECKING:
    from batchscan.emulator import EmulatorConfig
    from batchscan.settings.units import Rate

_WEB = "The internet"
_SERVICE = "The service"
_CHOICES = (
    "web",
    "sites",
    "port",
    "rates",
    "rates_per_host",
    "credits",
    "duplicate",
    "latency",
)  # EmulatorConfig's own names
_EXPORTS = (
    ("COPYLEAKS_EMAIL", "rehearsal@example.com"),
    ("COPYLEAKS_API_KEY", "00000000-0000-0000-0000-000000000000"),
)
_SECTIONS = (
    (
        "How to use it",
        (
            ("batchscan emulator --web ./web > vendor.env", "in one terminal"),
            (". ./vendor.env && batchscan ./images", "in another"),
        ),
    ),
    (
        "Other paths at the address that it prints",
        (
            ("/web/NAME", "the pictures and pages below --web DIR"),
            ("/_emulator/journal", "every request so far, one JSON object a line"),
            ("/_emulator/stats", "counts of requests"),
        ),
    ),
)


def _reading(read: Callable[[str], object]) -> Callable[..., object]:
    """A callback that converts values; a ValueError becomes a usage error."""

    def convert(ctx: click.Context, param: click.Parameter, given: Any) -> object:  # noqa: ANN401
        try:
            if isinstance(given, tuple):
                return tuple(map(read, given))
            return None if given is None else read(given)
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from error

    return convert


def _rate(text: str) -> Rate:
    from batchscan.settings.units import parse_rate  # noqa: PLC0415 - --help does without

    rate = parse_rate(text)
    if not rate.requests or not rate.period:
        raise ValueError(f"{text} allows nothing or everything: both numbers have to be above 0")
    return rate


def _duration(text: str) -> float:
    from batchscan.settings.units import parse_duration  # noqa: PLC0415 - --help does without

    return parse_duration(text)


def _option(group: str, *names: str, text: str, **kwargs: Any) -> Callable[[Any], Any]:  # noqa: ANN401
    return click.option(*names, cls=GroupedOption, group=group, help=text, **kwargs)


@click.command(
    cls=HelpCommand,
    sections=_SECTIONS,
    help="Run a local server that behaves like the vendor's API: login, checks, credits and "
    "limits, at no cost. Any e-mail address and key can log in; copies are found among the "
    "pictures in a folder.\n\n"
    "Prints the environment variables that make batchscan use it, and runs until Ctrl-C.",
)
@_option(
    _WEB,
    "--web",
    metavar="DIR",
    type=click.Path(path_type=Path),
    text="the pictures and HTML pages to find copies in",
)
@_option(
    _WEB,
    "--sites",
    is_flag=True,
    text="each folder in DIR is a site of that name: addresses of copies begin with it, and "
    "`recheck --connect-to ::127.0.0.1:PORT` can ask it",
)
@_option(_WEB, "--no-search", is_flag=True, text="find nothing, and answer at once: for load tests")
@_option(
    _SERVICE,
    "--port",
    metavar="N",
    type=click.IntRange(0, 65535),
    text="listen here on 127.0.0.1; by default on any free port",
)
@_option(
    _SERVICE,
    "--rate",
    "rates",
    metavar="N/PERIOD",
    multiple=True,
    callback=_reading(_rate),
    text="answer 429 to requests above this rate; repeatable  [default: 10/s]",
)
@_option(
    _SERVICE,
    "--rate-per-host",
    "rates_per_host",
    metavar="N/PERIOD",
    multiple=True,
    callback=_reading(_rate),
    text="the same for each client address, in addition; repeatable",
)
@_option(
    _SERVICE,
    "--credits",
    metavar="N",
    type=click.IntRange(0),
    text="the balance at the start  [default: 1000000]",
)
@_option(
    _SERVICE,
    "--duplicate",
    metavar="WORD",
    type=click.Choice(("conflict", "replay", "rescan")),
    text="answer to a scan id that was used before: conflict (409), replay (the same answer) or rescan "
    "(a new charge)  [default: replay]",
)
@_option(
    _SERVICE,
    "--latency",
    metavar="DURATION",
    callback=_reading(_duration),
    text="how long each check takes  [default: 0s]",
)
@_option(
    _SERVICE,
    "--faults",
    metavar="FILE",
    type=click.Path(path_type=Path),
    text="YAML rules for when and how it fails (`batchscan help emulator`)",
)
@folder_options
def command(*, no_search: bool, faults: Path | None, **parameters: object) -> int:
    """Run the command; returns the exit code."""
    from batchscan.commands.scan import run  # noqa: PLC0415 - --help does without

    chosen = {name: parameters.pop(name) for name in _CHOICES}
    settings_of(parameters, credentials=False)
    run(_serve(_config(chosen, faults, search=not no_search)))
    return 0


def _config(chosen: dict[str, Any], faults: Path | None, *, search: bool) -> EmulatorConfig:
    from batchscan.emulator import EmulatorConfig, read_faults  # noqa: PLC0415 - as above

    given = {name: value for name, value in chosen.items() if value not in (None, (), False)}
    if faults is not None:
        given["faults"] = read_faults(faults)
    return EmulatorConfig(**given, search=search)


async def _serve(config: EmulatorConfig) -> None:
    import asyncio  # noqa: PLC0415 - as above

    from batchscan.commands.scan import heeded  # noqa: PLC0415 - as above
    from batchscan.emulator import Emulator  # noqa: PLC0415

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in heeded(signal.SIGINT, signal.SIGTERM):
        system.on_signal(loop, signum, ended.set)
    try:
        async with Emulator(config) as emulator:
            print_status(
                f"batchscan: the emulator listens at {emulator.url}; Ctrl-C or SIGTERM ends it"
            )
            addresses = (
                ("COPYLEAKS_API_URL", emulator.url),
                ("COPYLEAKS_IDENTITY_URL", emulator.url),
            )
            print_data("".join(f"export {name}={value}\n" for name, value in _EXPORTS + addresses))
            await ended.wait()
    except OSError as error:
        raise port_error(config.port, error) from error
