"""`batchscan report`: make a run's report again, or one of everything in the ledger."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from batchscan.cli.help import GroupedOption, HelpCommand
from batchscan.cli.options import allow_option, folder_options, settings_of
from batchscan.console.terminal import print_data, print_status, width_of
from batchscan.errors import UsageError
from batchscan.report_formats import FORMATS
from batchscan.util.escaping import printable

if TYPE_CHECKING:
    from batchscan.ledger import Ledger, ReportView, StoredRun
    from batchscan.report import Report

_Function = TypeVar("_Function", bound=Callable[..., Any])
_ADVICE = "name a file in an existing folder with free space"


def _format_options(function: _Function) -> _Function:
    for name, report_format in reversed(FORMATS.items()):
        declare = click.option(
            f"--{name}",
            cls=GroupedOption,
            group="Formats (FILE may be - for stdout)",
            metavar="FILE",
            type=click.UNPROCESSED,
            help=report_format.help,
        )
        function = declare(function)
    return function


@click.command(
    cls=HelpCommand,
    help="Make the report of the last finished run from the ledger, including what was marked "
    "and allowed since. Nothing is sent. Without a format, the summary is printed.",
)
@click.option(
    "--run",
    "run_id",
    cls=GroupedOption,
    group="What",
    metavar="ID",
    help="report on this run instead",
)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    cls=GroupedOption,
    group="What",
    help="report on everything in the ledger; matches of the last run are the new ones",
)
@click.option(
    "--json", "as_json", is_flag=True, cls=GroupedOption, group="What", help="as one JSON object"
)
@click.option(
    "--schema",
    is_flag=True,
    cls=GroupedOption,
    group="What",
    help="print the JSON Schema of report.json",
)
@click.option(
    "--write",
    is_flag=True,
    cls=GroupedOption,
    group="What",
    help="also write the files of the run again",
)
@click.option(
    "--previews",
    is_flag=True,
    cls=GroupedOption,
    group="What",
    help="in --html, show small copies of their pictures that a recheck or capture fetched",
)
@_format_options
@allow_option
@folder_options
def command(
    *,
    run_id: str | None,
    everything: bool,
    as_json: bool,
    schema: bool,
    write: bool,
    previews: bool,
    **parameters: object,
) -> int:
    """Run the command; returns the exit code."""
    from batchscan.report import json_schema  # noqa: PLC0415 - --help does without

    if schema:
        print_data(json.dumps(json_schema(), indent=2))
        return 0
    if everything and (run_id or write):
        raise UsageError("--all goes without --run and --write", advice="leave one out")
    files = {name: str(file) for name in FORMATS if (file := parameters.pop(name))}
    if (as_json and "-" in files.values()) or list(files.values()).count("-") > 1:
        raise UsageError("stdout holds one format", advice="name a file for the others")
    if previews and "html" not in files:
        raise UsageError("--previews goes with --html", advice="as in --html FILE --previews")
    wanted = _Wanted(run_id, everything, as_json, write, files, previews)
    return _make(wanted, parameters)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which report to make, and in which format."""

    run_id: str | None
    everything: bool
    as_json: bool
    write: bool
    files: Mapping[str, str]  # by format
    previews: bool  # of their pictures


def _make(wanted: _Wanted, parameters: Mapping[str, object]) -> int:
    from batchscan.allow.active import ActiveAllowRules  # noqa: PLC0415
    from batchscan.report import encode, summary  # noqa: PLC0415
    from batchscan.report.text import WIDTH  # noqa: PLC0415
    from batchscan.runs.reports import (  # noqa: PLC0415
        find_run,
        regenerate_report,
        report_for_all,
        view_from_last,
        view_of_run,
    )
    from batchscan.state.access import read_ledger  # noqa: PLC0415 - --help does without

    settings = settings_of(parameters, credentials=False).settings
    with read_ledger(settings) as ledger:
        allow_rules = ActiveAllowRules.of(settings, time.time())
        run = find_run(ledger, wanted.run_id)
        if wanted.everything:
            view = view_from_last(ledger, allow_rules)
            report = report_for_all(ledger, view, allow_rules)
        else:
            view = view_of_run(ledger, run, allow_rules)
            report = regenerate_report(view, run, allow_rules)
        if wanted.write:
            _write_again(ledger, view, run, report)
        for name, file in wanted.files.items():
            _write(name, file, report, view, previews=wanted.previews)
    if wanted.as_json:
        print_data(encode(report))
    elif not wanted.files:
        print_data(summary(report, run.folder, width_of(sys.stdout, WIDTH)))
    return 0


def _write(name: str, file: str, report: Report, view: ReportView, *, previews: bool) -> None:
    from batchscan.runs.reports import render  # noqa: PLC0415 - --help does without
    from batchscan.util.atomic_file import write_atomic  # noqa: PLC0415

    parts = render(name, report, view, time.time(), previews=previews)
    if file == "-":
        for part in parts:
            print_data(part)
        return
    write_atomic(file, parts, advice=_ADVICE)
    print_status(f"written: {printable(file)}")


def _write_again(ledger: Ledger, view: ReportView, run: StoredRun, report: Report) -> None:
    """Write the files of the run's folder again."""
    from batchscan.report.run_folder import RESULTS, write_report  # noqa: PLC0415 - as above
    from batchscan.results import encode  # noqa: PLC0415
    from batchscan.runs.rebuild import rebuild_lines  # noqa: PLC0415
    from batchscan.runs.reports import write_companions  # noqa: PLC0415
    from batchscan.runs.unchecked import write_missing_table  # noqa: PLC0415
    from batchscan.state.lock import make_private_folder  # noqa: PLC0415
    from batchscan.util.atomic_file import write_atomic  # noqa: PLC0415

    make_private_folder(Path(run.folder))
    written = write_companions(run.folder, report, view, time.time())
    if ledger.runs.has_lines(run.run_id):
        path = os.path.join(run.folder, RESULTS)
        write_atomic(path, (encode(line) for line, _ in rebuild_lines(ledger, run.run_id, view)))
        written.append(path)
        written += write_missing_table(run.folder, report, ledger)
    for path in (*written, write_report(run.folder, report)):
        print_status(f"written: {printable(path)}")
