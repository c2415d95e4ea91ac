"""`batchscan review`: serve a page for deciding about matches, until a signal."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from batchscan.cli.help import GroupedOption, HelpCommand
from batchscan.cli.options import (
    allow_option,
    connect_to_option,
    folder_options,
    port_error,
    settings_of,
)
from batchscan.console.terminal import print_data, print_status
from batchscan.review.keys import KEYS, NAMES
from batchscan.util import system

if TYPE_CHECKING:
    from batchscan.settings.load import LoadedSettings

_PAGE = "The page"
_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "BROWSER")


def _keys() -> tuple[tuple[str, str], ...]:
    return tuple(
        (" ".join(NAMES.get(name, name) for name in key.keys), f"{key.label}: {key.meaning}")
        for key in KEYS
    )


@click.command(
    cls=HelpCommand,
    help="Look at matches and decide about them on a page in your browser, on this machine only. "
    "Every decision is saved in the ledger at once, as by `batchscan mark` and `batchscan allow`; a "
    "scan may run at the same time.\n\n"
    "Prints the address of the page, which works once, and runs until Ctrl-C.",
    sections=(("Keys", _keys()),),
)
@click.option(
    "--port",
    cls=GroupedOption,
    group=_PAGE,
    metavar="N",
    type=click.IntRange(0, 65535),
    default=0,
    help="listen here on 127.0.0.1; by default on any free port",
)
@click.option(
    "--no-open",
    is_flag=True,
    cls=GroupedOption,
    group=_PAGE,
    help="do not open a browser; without a terminal, none is opened anyway",
)
@connect_to_option(_PAGE)
@allow_option
@folder_options
def command(*, port: int, no_open: bool, connect_to: tuple[str, ...], **parameters: object) -> int:
    """Run the command; returns the exit code."""
    from batchscan.commands.scan import run  # noqa: PLC0415 - --help does without

    loaded = settings_of(parameters, credentials=False)
    opens = not no_open and _on_screen()
    run(_serve(loaded, port, connect_to, opens=opens))
    return 0


def _on_screen() -> bool:
    """Whether a graphical browser can be shown to the user of this terminal.

    Otherwise Python would start one in the terminal, such as lynx.
    """
    terminal = sys.stdout is not None and sys.stdout.isatty()
    return terminal and (sys.platform == "darwin" or any(map(os.environ.get, _SCREENS)))


async def _serve(
    loaded: LoadedSettings, port: int, connect_to: tuple[str, ...], *, opens: bool
) -> None:
    import asyncio  # noqa: PLC0415 - as above
    import webbrowser  # noqa: PLC0415

    from batchscan.commands.scan import heeded  # noqa: PLC0415
    from batchscan.review.server import ReviewServer  # noqa: PLC0415

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in heeded(*system.STOP_SIGNALS):
        system.on_signal(loop, signum, ended.set)
    try:
        async with ReviewServer(loaded, port, connect_to) as server:
            print_status("batchscan: open this address in your browser; SIGINT or SIGTERM ends it")
            print_data(server.url)
            if opens:
                await asyncio.to_thread(webbrowser.open, server.url)
            await ended.wait()
    except OSError as error:
        raise port_error(port, error) from error
