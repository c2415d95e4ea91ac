"""`batchscan scan`: load settings, scan, and return the exit code."""

from __future__ import annotations

import gc
import logging
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from batchscan.cli.dispatch import refuse_late_command
from batchscan.cli.help import GroupedOption, HelpCommand
from batchscan.cli.options import allow_option, folder_options, settings_of
from batchscan.cli.scan_options import SECTIONS, scan_options
from batchscan.console.terminal import print_data
from batchscan.errors import UsageError
from batchscan.store_kinds import OFFERED
from batchscan.util import system
from batchscan.version import version

if TYPE_CHECKING:
    from batchscan.commands.monitor import RunMonitor
    from batchscan.settings import Settings

MIB = 1024 * 1024
MEMORY_A_SCAN = 448 * MIB  # addresses, of which nearly half are used
FILES_A_SCAN = 40  # open at least: ledger, lock, results, streams, the decoder's pipes, imports
FILES_AN_UPLOAD = 2  # a picture and a connection
_log = logging.getLogger(__name__)
COLLECT_AFTER = 20_000  # new containers; to look for cycles more often costs more
OTHER_FILES = 256  # beside the connections: pictures being read, the ledger, folders being walked


def _show_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        print_data(f"batchscan {version()}")
        context.exit()


@click.command(
    cls=HelpCommand,
    sections=SECTIONS,
    help="Find copies of your pictures on the web.\n\n"
    f"PATH is a folder, a picture or an address in a store: {OFFERED[0]}bucket/folder, "
    f"{', '.join(OFFERED[1:])}. A picture that has an answer is never paid for again: the same command continues where "
    "the last one stopped.",
    options_metavar="[OPTIONS]",
)
@click.argument("roots", nargs=-1, type=click.UNPROCESSED, metavar="PATH...")
@scan_options
@allow_option
@folder_options
@click.option(
    "--version",
    cls=GroupedOption,
    group="Help",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def command(*, roots: tuple[str, ...], **parameters: object) -> int:
    """Run the command; returns the exit code."""
    for root in roots[:1]:
        refuse_late_command(root)
    parameters["roots"] = roots
    settings = settings_of(parameters, credentials=not parameters["dry_run"]).settings
    from batchscan.commands.monitor import RunMonitor  # noqa: PLC0415 - --help does without

    monitor = RunMonitor(settings)
    return monitor.over(lambda: _run(settings, monitor))


def _run(settings: Settings, monitor: RunMonitor) -> int:
    if not (settings.roots or settings.files_from or settings.files0_from):
        raise UsageError("no PATH was given", advice="name a folder: `batchscan ./images`")
    system.require_posix("a scan")
    _require_memory()
    from batchscan.commands.scan import run  # noqa: PLC0415 - as above

    return run(_scan(_within_open_files(settings), monitor))


def _require_memory() -> None:
    """Refuse to start with too little memory: native libraries would exit without a message.

    Raises:
        UsageError: the system allows too little memory.
    """
    system.limit_heaps()
    limit = system.address_limit()
    if limit is not None and limit < MEMORY_A_SCAN:
        raise UsageError(
            f"the system allows {limit // MIB} MiB of memory, and a scan needs"
            f" {MEMORY_A_SCAN // MIB} at least",
            advice=f"raise the limit: ulimit -v {MEMORY_A_SCAN // 1024}",
        )


def _within_open_files(settings: Settings) -> Settings:
    """Limit the uploads at the same time to what the system's limit of open files allows.

    Raises:
        UsageError: it allows too few for a scan.
    """
    wanted = settings.pace.concurrency
    limit = system.raise_open_files(wanted + OTHER_FILES)
    if limit is None or limit >= FILES_A_SCAN + FILES_AN_UPLOAD * wanted:
        return settings
    possible = (limit - FILES_A_SCAN) // FILES_AN_UPLOAD
    if possible < 1:
        raise UsageError(
            f"the system allows {limit} open files, and a scan needs {FILES_A_SCAN + 8} at least",
            advice="raise the limit: ulimit -n 1024",
        )
    _log.warning(
        "the system allows %d open files: limited to %d uploads at the same time", limit, possible
    )
    return replace(settings, pace=replace(settings.pace, concurrency=possible))


async def _scan(settings: Settings, monitor: RunMonitor) -> int:
    gc.disable()  # importing makes no garbage
    from batchscan.commands.scan import (  # noqa: PLC0415 - --help does without
        print_result,
        show_progress,
        stop_for_signals,
    )
    from batchscan.run import Scan  # noqa: PLC0415
    from batchscan.settings.locations import state_folder  # noqa: PLC0415
    from batchscan.state.crash_marks import crash_trace  # noqa: PLC0415

    state = None if settings.dry_run else state_folder(settings)  # a dry run writes nothing
    scan = Scan(settings)
    gc.freeze()  # imported modules stay: collections can skip them
    gc.set_threshold(COLLECT_AFTER)
    gc.enable()
    async with AsyncExitStack() as stack:
        stack.enter_context(stop_for_signals(scan))
        await stack.enter_async_context(scan)  # creates the state folder, reads old crash marks
        if state is not None:
            stack.enter_context(crash_trace(state))
        await stack.enter_async_context(show_progress(scan.progress, settings.output))
        monitor.started()
        async for outcome in scan:
            del outcome  # it is in results.jsonl, and may have very many matches
    monitor.ended(scan.report, scan.folder)
    print_result(settings.output, scan.report, scan.folder, scan.error)
    await monitor.settle()
    return scan.exit_code
