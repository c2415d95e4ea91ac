"""`batchscan demo`: a demonstration with the emulator, without an account."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from batchscan.cli.help import HelpCommand
from batchscan.cli.options import folder_options, settings_of
from batchscan.console.terminal import print_data, print_status

if TYPE_CHECKING:
    from batchscan.demo.run import Demo
    from batchscan.run import Scan
    from batchscan.settings import Output, Settings

DEFAULT = "./batchscan-demo"


@click.command(
    cls=HelpCommand,
    help="Try batchscan on this machine, without an account: make sample pictures and a small web "
    "that shows copies of some, start an emulator of the API, scan, and write a report.\n\n"
    f"Everything is made in DIR, by default {DEFAULT}. Your own settings, state and account are "
    "not used.",
    options_metavar="[OPTIONS]",
)
@click.argument("folder", metavar="[DIR]", default=DEFAULT, type=click.Path(path_type=Path))
@folder_options
def command(folder: Path, **parameters: object) -> int:
    """Run the command; returns the exit code."""
    from batchscan.demo.run import prepare  # noqa: PLC0415 - --help does without

    output = settings_of(parameters, credentials=False).settings.output
    named = {name: parameters[f"output__{name}"] for name in ("directory", "state")}
    demo = prepare(
        folder.absolute(),
        Path(output.directory) if named["directory"] else None,
        Path(output.state) if named["state"] and output.state else None,
    )
    import asyncio  # noqa: PLC0415 - --help does without

    return asyncio.run(_show(demo, output))


async def _show(demo: Demo, output: Output) -> int:
    from batchscan.commands.scan import (  # noqa: PLC0415
        print_result,
        show_progress,
        stop_for_signals,
    )
    from batchscan.demo.run import Acts, run  # noqa: PLC0415

    @asynccontextmanager
    async def watch(scan: Scan) -> AsyncIterator[None]:
        with stop_for_signals(scan):
            async with show_progress(scan.progress, output):
                yield

    paragraphs: list[str] = []

    async def capture(settings: Settings, rule: str) -> None:
        paragraphs.append(await _captured(settings, rule))

    async def ask_again(settings: Settings, rule: str) -> None:
        paragraphs.append(await _asked_again(settings, rule))

    if demo.made:
        print_status(
            f"{demo.made} sample files made in {demo.images},\n"
            f"and a small web with copies of some in {demo.web}."
        )
    else:
        print_status(f"The sample pictures exist already: {demo.images}")
    scan = await run(demo, watch, Acts(capture, ask_again))
    print_result(output, scan.report, scan.folder, scan.error)
    print_data("".join(paragraphs))
    print_data(_afterwards(demo, scan))
    return scan.exit_code


async def _captured(settings: Settings, rule: str) -> str:
    """Capture every match, unless an earlier demo did; returns a line about the result."""
    from batchscan.commands.capture import (  # noqa: PLC0415
        Captured,
        CaptureOptions,
        capture_matches,
    )
    from batchscan.ledger.match_choice import MatchChoice  # noqa: PLC0415
    from batchscan.report.wording import amount  # noqa: PLC0415
    from batchscan.state.access import read_ledger  # noqa: PLC0415
    from batchscan.web_client import ConnectTo  # noqa: PLC0415

    with read_ledger(settings) as ledger:
        if any(ledger.captures.captured()):
            return ""
    files: list[Captured] = []
    options = CaptureOptions(connect_to=ConnectTo.of([rule]))
    await capture_matches(settings, MatchChoice(), options, files.append)
    size = sum(captured.file.size for captured in files)
    return (
        f"Captured as evidence: {amount(len(files), 'match')}, "
        f"{size / 1e6:.1f} MB (`batchscan evidence capture`).\n"
    )


async def _asked_again(settings: Settings, rule: str) -> str:
    """Recheck every match on its site; returns a line about the result."""
    from batchscan.commands.recheck import RecheckRequest, recheck  # noqa: PLC0415
    from batchscan.commands.recheck_text import as_summary  # noqa: PLC0415

    request = RecheckRequest(urls=("http://*",), connect_to=(rule,))
    result = await recheck(settings, request)
    return (
        "Some sites have changed since. `batchscan recheck` asked them again:\n"
        f"{as_summary(result)}"
    )


def _afterwards(demo: Demo, scan: Scan) -> str:
    lines = [
        "",
        "Where things are:",
        f"  the pictures         {demo.images}",
        f"  the web              {demo.web}",
        f"  each picture         {scan.folder}/results.jsonl",
        f"  the report           {scan.folder}/report.html   (open it in a browser)",
        f"  every match          {scan.folder}/matches.csv",
        f"  the evidence         {demo.state}/captures",
        "",
        "What to try next:",
        *_next_commands(demo),
        "",
    ]
    return "\n".join(lines)


def _next_commands(demo: Demo) -> list[str]:
    """Commands to paste, each with a comment that says what it is for."""
    folder, state = shlex.quote(str(demo.folder)), shlex.quote(str(demo.state))
    images, web = shlex.quote(str(demo.images)), shlex.quote(str(demo.web))
    case = shlex.quote(f"{demo.folder}/case.zip")
    notices, output = shlex.quote(f"{demo.folder}/notices"), shlex.quote(str(demo.output))
    return [
        "  # the same again: everything is known, nothing is sent",
        f"  batchscan demo {folder}",
        "  # decide that copies on this site should not be there",
        f"  batchscan mark reviewed cheap-posters.example --state {state}",
        "  # a report of everything, with the results of the recheck",
        f"  batchscan report --all --html {shlex.quote(f'{demo.folder}/report.html')} --state {state}",
        "  # draft a notice to the site",
        f"  batchscan takedown --to {notices} --state {state}",
        "  # pack what was captured there, for a lawyer",
        f"  batchscan evidence pack --domain cheap-posters.example --to {case} --state {state}",
        "  # dry run: what a scan with an account would send and cost",
        f"  batchscan -n -o {output} {images}",
        "  # is your own account set up?",
        "  batchscan doctor",
        "  # run the emulator of the API for your own tests (Ctrl-C ends it)",
        f"  batchscan emulator --sites --web {web}",
    ]
