"""`batchscan state stats|check|backup|prune|vacuum`: maintenance of the ledger."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

import click

from batchscan.cli.findings import print_finding
from batchscan.cli.help import GroupedOption, HelpCommand, HelpGroup
from batchscan.cli.options import folder_options, setting_option, settings_of
from batchscan.console.terminal import fitted, print_data, print_status
from batchscan.util.escaping import escape_json, printable

if TYPE_CHECKING:
    from batchscan.runs.prune import PrunePlan
    from batchscan.runs.retention import RetentionResult
    from batchscan.settings import Settings

_F = TypeVar("_F", bound=Callable[..., int])
_OLD = "30d"
_PARTIAL = 3
_RESTORING = (
    ("1.", "stop all scans"),
    ("2.", "remove ledger.sqlite3-wal and -shm from the state folder, if they exist"),
    ("3.", "copy FILE over ledger.sqlite3"),
    ("4.", "copy what is in FILE.captures, if it exists, into captures in the state folder"),
    ("5.", "answers that came after the backup are not in FILE: they are paid for again"),
)
_GOING = (
    (
        "files",
        (
            "rows of files that no longer exist and never had a match; export and `report --all` "
            "no longer list them. If such a file comes back, it is recognised by its content. "
            "Rows are kept of files in stores, and of scanned folders without any known file: "
            "the disk may not be mounted"
        ),
    ),
    (
        "runs",
        (
            "runs beyond output.keep_runs, with their folders, as at the end of a scan; later "
            "evidence packs lack their reports"
        ),
    ),
    ("messages", "delivered messages older than --older-than; pending ones stay"),
    (
        "copies",
        (
            "copies of the ledger from before an upgrade, older than --older-than; and temporary "
            "files of killed processes"
        ),
    ),
)


def _lock_option(function: _F) -> _F:
    declare = setting_option(
        "scan.if_locked",
        "--if-locked",
        metavar="fail|wait|skip",
        group="What",
        text="what to do when a scan is using the state folder",
    )
    declared: _F = declare(function)
    return declared


@click.command(
    "stats",
    cls=HelpCommand,
    short_help="count what is in the ledger, and the space it takes",
    help="Count what is in the ledger: pictures, answers, files, matches, runs, credits, and the "
    "space that each table takes.",
)
@click.option(
    "--json", "as_json", is_flag=True, cls=GroupedOption, group="What", help="as a JSON object"
)
@folder_options
def stats(*, as_json: bool, **parameters: object) -> int:
    """Run the command; returns the exit code."""
    from batchscan.commands.state_stats import fields, gather, page  # noqa: PLC0415 - --help does without

    facts = gather(_settings(parameters), time.time())
    if as_json:
        print_data(escape_json(json.dumps(fields(facts), indent=2).encode()) + b"\n")
    else:
        print_data("\n".join(fitted(line, sys.stdout) for line in page(facts)))
    return 0


@click.command(
    "check",
    cls=HelpCommand,
    short_help="check the ledger for damage",
    help="Check the ledger without changing it: every page, whether each answer can be read and "
    "its matches are recorded, whether caches and the totals of the last run agree with the "
    "rest, who can read the files, and whether a scan is running. Exits 0, or 9 if there is a problem.",
)
@folder_options
def check(**parameters: object) -> int:
    """Run the command; returns the exit code."""
    from batchscan.commands.checks import exit_code  # noqa: PLC0415 - --help does without
    from batchscan.commands.state_check import check as check_state  # noqa: PLC0415
    from batchscan.settings.locations import state_folder  # noqa: PLC0415

    findings = []
    for finding in check_state(state_folder(_settings(parameters))):
        findings.append(finding)
        print_finding(finding)
    return exit_code(findings)


@click.command(
    "backup",
    cls=HelpCommand,
    short_help="copy the ledger to a new file, also during a scan",
    help="Copy the ledger to FILE, and its captures to the folder FILE.captures. A scan may run "
    "at the same time. The copy is checked and either complete or not written at all; only you "
    "can read it. Existing files are not overwritten. Exits 3 if a capture is missing or was "
    "altered: it is named, and the rest is copied.",
    sections=(("To restore it", _RESTORING),),
)
@click.argument("file", metavar="FILE", type=click.UNPROCESSED)
@folder_options
def backup(*, file: str, **parameters: object) -> int:
    """Run the command; returns the exit code."""
    from batchscan.commands.state_backup import copy_state  # noqa: PLC0415 - --help does without
    from batchscan.report.wording import amount, size  # noqa: PLC0415
    from batchscan.settings.locations import state_folder  # noqa: PLC0415

    done = copy_state(state_folder(_settings(parameters)), file)
    print_data(f"written: {printable(file)} ({size(os.path.getsize(file))})")
    if done.folder is not None:
        print_data(f"written: {printable(done.folder)} ({amount(done.captures, 'capture')})")
    for name, trouble in done.left:
        print_status(f"batchscan: not copied: {printable(name)}: {trouble}")
    return _PARTIAL if done.left else 0


@click.command(
    "prune",
    cls=HelpCommand,
    short_help="delete rows that neither scans nor evidence need",
    help="Delete what is no longer needed. Answers, matches and decisions are never deleted, so "
    "nothing is paid for twice. `vacuum` then makes the file smaller.",
    sections=(("What is deleted", _GOING),),
)
@click.option(
    "--older-than",
    metavar="DURATION",
    default=_OLD,
    show_default=True,
    type=click.UNPROCESSED,
    cls=GroupedOption,
    group="What",
    help="minimum age of messages and copies",
)
@click.option(
    "-n",
    "--dry-run",
    "dry",
    is_flag=True,
    cls=GroupedOption,
    group="What",
    help="only show what would be deleted",
)
@_lock_option
@folder_options
def prune(*, older_than: str, dry: bool, **parameters: object) -> int:
    """Run the command; returns the exit code."""
    from batchscan.runs.prune import carry_out, find  # noqa: PLC0415
    from batchscan.state.access import hold_state_lock, open_for_change, read_ledger  # noqa: PLC0415 - as above

    now = time.time()
    before = now - _duration(older_than)
    settings = _settings(parameters)
    if dry:
        with read_ledger(settings) as ledger:
            plan = find(ledger, settings, before, now)
        print_data("\n".join(_prune_lines(plan, "would be deleted")))
        return 0
    with hold_state_lock(settings), open_for_change(settings) as ledger:
        with ledger.transaction():
            plan = find(ledger, settings, before, now)
        done = carry_out(ledger, settings, plan, before)
    print_data("\n".join((*_prune_lines(plan, "deleted"), *_stay(done))))
    return 0


@click.command(
    "vacuum",
    cls=HelpCommand,
    short_help="return unused space to the disk",
    help="Rewrite the ledger without its unused space. No scan may be running, and the disk needs "
    "space for a second copy, or for two if temporary files are on the same disk.",
)
@_lock_option
@folder_options
def vacuum(**parameters: object) -> int:
    """Run the command; returns the exit code."""
    from batchscan.ledger import FILE_NAME  # noqa: PLC0415
    from batchscan.ledger.vacuum import vacuum as write_anew  # noqa: PLC0415
    from batchscan.report.wording import size  # noqa: PLC0415
    from batchscan.settings.locations import state_folder  # noqa: PLC0415
    from batchscan.state.access import hold_state_lock  # noqa: PLC0415 - --help does without

    settings = _settings(parameters)
    with hold_state_lock(settings):
        before, after = write_anew(state_folder(settings) / FILE_NAME)
    print_data(f"The ledger is {size(after)} now, {size(max(0, before - after))} less than before.")
    return 0


command = HelpGroup(
    "state",
    stats,
    check,
    backup,
    prune,
    vacuum,
    text="Maintain the ledger: the file in the state folder that records everything that was ever "
    "sent, answered and paid.",
)


def _settings(parameters: dict[str, object]) -> Settings:
    return settings_of(parameters, credentials=False).settings


def _duration(text: str) -> float:
    from batchscan.errors import UsageError  # noqa: PLC0415 - --help does without
    from batchscan.settings.units import parse_duration  # noqa: PLC0415

    try:
        return parse_duration(text)
    except ValueError:
        advice = "write it as 90d, 12h or 0s"
        raise UsageError(f"--older-than: {text!r} is not a duration", advice=advice) from None


def _prune_lines(plan: PrunePlan, verb: str) -> Iterator[str]:
    from batchscan.report.wording import amount  # noqa: PLC0415 - --help does without

    if plan.nothing:
        yield f"nothing {verb}"
    for number, noun, what in (
        (plan.files, "row", " of files that are gone"),
        (len(plan.runs), "old run", ""),
        (plan.messages, "delivered message", ""),
    ):
        if number:
            yield f"{verb}: {amount(number, noun)}{what}"
    for path in plan.leftovers:
        yield f"{verb}: {printable(str(path))}"
    if plan.matched:
        yield f"kept: {amount(plan.matched, 'row')} of files that are gone, with matches"
    if plan.away:
        yield f"kept: {amount(plan.away, 'file')} in a store, or on a disk that may not be mounted"


def _stay(done: RetentionResult) -> Iterator[str]:
    for path, why in done.kept.items():
        yield f"kept: {printable(path)}: {why}"
