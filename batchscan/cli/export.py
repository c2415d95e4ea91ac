"""`batchscan export`: print the content of the ledger, one line for each picture."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import click

from batchscan.cli.help import GroupedOption, HelpCommand
from batchscan.cli.options import allow_option, folder_options, sandbox_option, settings_of
from batchscan.console.terminal import print_data

if TYPE_CHECKING:
    from batchscan.commands.export import Exported
    from batchscan.ledger import Ledger, ReportView

_BATCH = 500  # lines a write


@click.command(
    cls=HelpCommand,
    help="Print everything in the ledger, one line for each picture that has an answer, with its "
    "matches, or was rejected. Nothing is sent.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "csv"]),
    default="jsonl",
    show_default=True,
    cls=GroupedOption,
    group="What",
    help="one JSON object a line, or a table for spreadsheets (UTF-8 with a byte order mark)",
)
@sandbox_option
@allow_option
@folder_options
def command(*, form: str, **parameters: object) -> int:
    """Run the command; returns the exit code."""
    from batchscan.allow.active import ActiveAllowRules  # noqa: PLC0415
    from batchscan.runs.reports import view_from_last  # noqa: PLC0415
    from batchscan.state.access import read_ledger  # noqa: PLC0415 - --help does without

    settings = settings_of(parameters, credentials=False).settings
    write = _table if form == "csv" else _json_lines
    allow_rules = ActiveAllowRules.of(settings, time.time())
    with read_ledger(settings) as ledger:
        view = view_from_last(ledger, allow_rules)
        pieces = write(_lines(ledger, view, sandbox=settings.api.sandbox))
        while piece := b"".join(islice(pieces, _BATCH)):
            print_data(piece)
    return 0


def _lines(ledger: Ledger, view: ReportView, *, sandbox: bool) -> Iterator[Exported]:
    from batchscan.commands.export import exported  # noqa: PLC0415 - --help does without

    for file in ledger.reporting.files():
        answer = file.answer
        history = view.matches_of(answer.picture_id) if answer else {}
        decisions = ledger.decision_history.of_picture(answer.picture_id) if answer else {}
        line = exported(file, history, decisions, sandbox=sandbox)
        if line is not None:
            yield line


def _json_lines(lines: Iterable[Exported]) -> Iterator[bytes]:
    import msgspec  # noqa: PLC0415 - --help does without

    from batchscan.util.escaping import escape_json  # noqa: PLC0415

    for line in lines:
        yield escape_json(msgspec.json.encode(line)) + b"\n"


def _table(lines: Iterable[Exported]) -> Iterator[bytes]:
    from batchscan.commands.export import COLUMNS, rows  # noqa: PLC0415 - --help does without
    from batchscan.util.escaping import BYTE_ORDER_MARK  # noqa: PLC0415

    yield BYTE_ORDER_MARK + _row(COLUMNS)
    for line in lines:
        for row in rows(line):
            yield _row(row)


def _row(values: Iterable[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(values)
    return text.getvalue().encode()
