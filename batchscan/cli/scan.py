"""`batchscan scan`: words → settings → scan → exit code."""

from __future__ import annotations

import gc
import resource
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

import click

from batchscan.cli.common import allow_option, folder_options, settings_of
from batchscan.cli.pages import Page
from batchscan.cli.scanflags import SECTIONS, scan_options
from batchscan.errors import UsageError

if TYPE_CHECKING:
    from batchscan.cli.lookout import Lookout
    from batchscan.settings import Settings

OTHER_FILES = 256  # beside the connections: pictures being read, the ledger, folders being walked


@click.command(
    cls=Page,
    sections=SECTIONS,
    help="Find out where on the web copies of your pictures turned up.\n\n"
    "Every PATH is a folder or a picture, or is in a store: s3://bucket/folder, gs://, az://, "
    "sftp://. What has been answered before is never paid for again: the same command goes on where "
    "the last one ended.",
    options_metavar="[OPTIONS]",
)
@click.argument("roots", nargs=-1, type=click.UNPROCESSED, metavar="PATH...")
@scan_options
@allow_option
@folder_options
def command(**parameters: object) -> int:
    """Scan, and give the exit code."""
    settings = settings_of(parameters, credentials=not parameters["dry_run"]).settings
    from batchscan.cli.lookout import Lookout  # noqa: PLC0415 - --help does without

    lookout = Lookout(settings)
    return lookout.over(lambda: _run(settings, lookout))


def _run(settings: Settings, lookout: Lookout) -> int:
    if not (settings.roots or settings.files_from or settings.files0_from):
        raise UsageError("no PATH was given", advice="name a folder: `batchscan ./images`")
    from batchscan.cli.loop import run  # noqa: PLC0415 - as above

    _allow_open_files(settings.pace.concurrency + OTHER_FILES)
    return run(_scan(settings, lookout))


def _allow_open_files(number: int) -> None:
    """Ask the system for as many; the usual 1,024 are too few for a thousand connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY != soft < number:
        most = number if hard == resource.RLIM_INFINITY else min(number, hard)
        with suppress(OSError, ValueError):  # macOS allows fewer than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


async def _scan(settings: Settings, lookout: Lookout) -> int:
    # Everything that scans is imported here and not above: `--help` needs none of it
    gc.disable()
    from batchscan.cli.outcome import tell  # noqa: PLC0415
    from batchscan.cli.signals import stopping  # noqa: PLC0415
    from batchscan.cli.watching import watched  # noqa: PLC0415
    from batchscan.run import Scan  # noqa: PLC0415
    from batchscan.settings.places import state_folder  # noqa: PLC0415
    from batchscan.steps.crash import crash_trace  # noqa: PLC0415

    state = None if settings.dry_run else state_folder(settings)  # a dry run writes nothing
    scan = Scan(settings)
    gc.freeze()  # what was imported stays: no collection need look at it
    gc.enable()
    with stopping(scan.request_stop):
        async with scan:  # which makes the state folder, and has read what is left there
            with crash_trace(state) if state else nullcontext():
                async with watched(scan.progress, settings.output):
                    lookout.started()
                    async for _ in scan:
                        pass
    lookout.ended(scan.report, scan.folder)
    tell(settings.output, scan.report, scan.folder, scan.error)
    await lookout.settle()
    return scan.exit_code
