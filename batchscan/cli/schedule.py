"""`batchscan schedule --systemd|--cron|--launchd`: print the configuration for regular scans."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from batchscan.cli.help import GroupedOption, HelpCommand
from batchscan.cli.options import folder_options
from batchscan.console.terminal import print_data, print_status
from batchscan.errors import UsageError
from batchscan.util.escaping import printable

if TYPE_CHECKING:
    from batchscan.schedule import Job, Timing

_WHAT = "What"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_SYSTEM = "/etc/systemd/system"


@click.command(
    cls=HelpCommand,
    context_settings={"ignore_unknown_options": True},
    help="Print units for systemd, a line for a crontab, or an agent for launchd that scans PATH "
    "regularly with exactly these options of a scan. The options are checked now; nothing is "
    "sent. If an option of the scan has the same name as one on this page, write -- before the "
    "options of the scan.",
)
@click.argument(
    "words", nargs=-1, type=click.UNPROCESSED, metavar="[--] [OPTIONS OF A SCAN] PATH..."
)
@click.option(
    "--systemd", is_flag=True, cls=GroupedOption, group=_WHAT, help="a service and its timer"
)
@click.option(
    "--cron", is_flag=True, cls=GroupedOption, group=_WHAT, help="a line for `crontab -e`"
)
@click.option(
    "--launchd",
    is_flag=True,
    cls=GroupedOption,
    group=_WHAT,
    help="a property list for macOS (~/Library/LaunchAgents)",
)
@click.option(
    "--at",
    cls=GroupedOption,
    group=_WHAT,
    metavar="TIME",
    help="every day at TIME  [default: 02:15]",
)
@click.option(
    "--every",
    cls=GroupedOption,
    group=_WHAT,
    metavar="DURATION",
    help="instead of --at: every 15m, 6h, 1d, 7d...",
)
@click.option(
    "--name",
    cls=GroupedOption,
    group=_WHAT,
    metavar="NAME",
    default="batchscan",
    help="name of the units  [default: batchscan]",
)
@click.option(
    "--to",
    cls=GroupedOption,
    group=_WHAT,
    metavar="DIR",
    help="write the units there, such as /etc/systemd/system",
)
@folder_options
def command(
    *,
    words: tuple[str, ...],
    systemd: bool,
    cron: bool,
    launchd: bool,
    name: str,
    to: str | None,
    **parameters: object,
) -> int:
    """Run the command; returns the exit code."""
    from batchscan.cli.schedule_notes import notes  # noqa: PLC0415
    from batchscan.cli.scheduled_scan import ScheduleRequest, schedule  # noqa: PLC0415 - --help does without

    if systemd + cron + launchd != 1:
        raise UsageError("give one of --systemd, --cron and --launchd")
    if not _NAME.fullmatch(name):
        raise UsageError(f"--name: found {name!r}; allowed: letters, digits, and - _ . inside")
    if not systemd and to is not None:
        raise UsageError("--to goes with --systemd", advice="add the line with `crontab -e`")
    timing = _timing(parameters.pop("at"), parameters.pop("every"))
    scheduled = schedule(ScheduleRequest(name, timing, systemd=systemd), words, parameters)
    job = scheduled.job()
    if systemd:
        _give_units(job, to)
    elif launchd:
        _give_agent(job)
    else:
        _give_line(job)
    for note in notes(scheduled, job, launchd=launchd):
        print_status(f"batchscan: {printable(note)}")
    return 0


def _timing(at: object, every: object) -> Timing:
    from batchscan.schedule import Timing  # noqa: PLC0415 - as above

    if at is not None and every is not None:
        raise UsageError("give either --at or --every")
    if every is not None:
        return Timing.every(str(every))
    return Timing.at() if at is None else Timing.at(str(at))


def _give_line(job: Job) -> None:
    from batchscan.schedule import crontab_line  # noqa: PLC0415 - as above

    print_data(os.fsencode(crontab_line(job)) + b"\n")


def _give_agent(job: Job) -> None:
    from batchscan.schedule.launchd import AGENTS, launch_agent  # noqa: PLC0415 - as above

    print_data(launch_agent(job))
    print_status(f"Next, after saving this as {AGENTS}/{job.name}.plist:")
    print_status(f"  launchctl bootstrap gui/$(id -u) {AGENTS}/{job.name}.plist")
    print_status(f"  launchctl kickstart gui/$(id -u)/{job.name}     # a first run, now")


def _give_units(job: Job, to: str | None) -> None:
    from batchscan.schedule import service_unit, timer_unit, write_units  # noqa: PLC0415 - as above

    units = {f"{job.name}.service": service_unit(job), f"{job.name}.timer": timer_unit(job)}
    folder = os.path.abspath(_SYSTEM if to is None else to)
    if to is None:
        print_data("\n".join(f"# {folder}/{name}\n{text}" for name, text in units.items()))
    else:
        if not os.path.isdir(folder):
            raise UsageError(f"--to: '{printable(folder)}' is not a directory")
        write_units(folder, units)
        print_status(
            f"Written: {', '.join(printable(os.path.join(folder, name)) for name in units)}"
        )
    print_status("\n".join(_next(job.name, folder)))


def _next(name: str, folder: str) -> Iterator[str]:
    yield "Next, as root:"
    if folder == _SYSTEM:
        yield "  systemctl daemon-reload"
        yield f"  systemctl enable --now {name}.timer"
    else:
        place = shlex.quote(printable(f"{folder}/{name}"))
        yield f"  systemctl link {place}.service"
        yield f"  systemctl enable --now {place}.timer"
    yield f"  systemctl start {name}.service     # a first run, now"
    yield f"  journalctl -u {name}.service       # its output"
