"""`batchscan report`: the last run's report again, at no cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from batchscan.cli.common import folder_options, settings_of
from batchscan.cli.pages import Option, Page
from batchscan.cli.terminal import emit, say
from batchscan.errors import UsageError

if TYPE_CHECKING:
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
    help="also write report.json into the run's folder again",
)
@folder_options
def command(*, as_json: bool, schema: bool, write: bool, **parameters: object) -> int:
    """Print, and give the exit code."""
    from batchscan.report import encode, json_schema, summary, write_report  # noqa: PLC0415

    if schema:
        emit(json.dumps(json_schema(), indent=2))
        return 0
    settings = settings_of(parameters, credentials=False).settings
    report, folder = _last(settings)
    if write:
        say(f"written: {write_report(folder, report)}")
    emit(encode(report) if as_json else summary(report, folder))
    return 0


def _last(settings: Settings) -> tuple[Report, str]:
    import msgspec  # noqa: PLC0415 - --help does without

    from batchscan.cli.reading import reading  # noqa: PLC0415
    from batchscan.errors import StorageError  # noqa: PLC0415
    from batchscan.report import Report  # noqa: PLC0415

    with reading(settings) as ledger:
        run = ledger.runs.last()
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
