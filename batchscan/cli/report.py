"""`batchscan report`: the last run's report again, at no cost."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from batchscan.cli.common import folder_options, settings_of
from batchscan.cli.pages import Option, Page
from batchscan.cli.terminal import emit, say
from batchscan.errors import UsageError
from batchscan.escape import printable

if TYPE_CHECKING:
    from batchscan.ledger import Ledger, StoredRun
    from batchscan.report import Report
    from batchscan.settings import Settings


@click.command(
    cls=Page,
    help="Print the report of the last run that ended, from the ledger; nothing is sent.",
)
@click.option(
    "--json", "as_json", is_flag=True, cls=Option, group="What", help="as one JSON object"
)
@click.option(
    "--schema", is_flag=True, cls=Option, group="What", help="the JSON Schema of report.json"
)
@click.option(
    "--write",
    is_flag=True,
    cls=Option,
    group="What",
    help="also write the run's report.json and results.jsonl again",
)
@folder_options
def command(*, as_json: bool, schema: bool, write: bool, **parameters: object) -> int:
    """Print, and give the exit code."""
    from batchscan.report import encode, json_schema, summary, write_report  # noqa: PLC0415

    if schema:
        emit(json.dumps(json_schema(), indent=2))
        return 0
    settings = settings_of(parameters, credentials=False).settings
    report, folder = _last(settings, write=write)
    if write:
        say(f"written: {printable(write_report(folder, report))}")
    emit(encode(report) if as_json else summary(report, folder))
    return 0


def _last(settings: Settings, *, write: bool) -> tuple[Report, str]:
    import msgspec  # noqa: PLC0415 - --help does without

    from batchscan.cli.reading import reading  # noqa: PLC0415
    from batchscan.errors import StorageError  # noqa: PLC0415
    from batchscan.report import Report  # noqa: PLC0415

    with reading(settings) as ledger:
        run = ledger.runs.last()
        if run is not None and write:
            _write_results(ledger, run)
    if run is None or run.report is None:
        raise UsageError(
            "the ledger knows of no run that has ended",
            advice="name the state folder of your scans with --state",
        )
    try:
        return msgspec.json.decode(run.report, type=Report), run.folder
    except msgspec.MsgspecError as error:
        raise StorageError(
            f"the ledger's report of {run.run_id} cannot be read: {error}"
        ) from error


def _write_results(ledger: Ledger, run: StoredRun) -> None:
    from batchscan.report.files import RESULTS  # noqa: PLC0415 - as above
    from batchscan.results import encode as encode_line  # noqa: PLC0415
    from batchscan.steps.remake import remade_lines  # noqa: PLC0415
    from batchscan.steps.state import make_private_folder  # noqa: PLC0415
    from batchscan.whole import write_whole  # noqa: PLC0415

    make_private_folder(Path(run.folder))
    lines = (encode_line(line) for line, _ in remade_lines(ledger, run.run_id))
    path = os.path.join(run.folder, RESULTS)
    write_whole(path, lines)
    say(f"written: {printable(path)}")
