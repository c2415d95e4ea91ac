"""Making reports from the ledger again, with the current decisions; nothing is sent."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import msgspec

from batchscan import version
from batchscan.allow.active import ActiveAllowRules, summarize
from batchscan.enums import DeferReason, FailReason, Status
from batchscan.errors import StorageError, UsageError
from batchscan.ledger import Everything, Ledger, OfRun, Perspective, ReportView, StoredRun
from batchscan.ledger.damage import damaged
from batchscan.report.build import build, with_summary
from batchscan.report.schema import Report, Run, UncheckedFile
from batchscan.report_formats import FORMATS
from batchscan.runs.checkpoint import RunCheckpoint
from batchscan.runs.unchecked import rejected_before, some_of_each
from batchscan.tally import Tally
from batchscan.util.atomic_file import write_atomic
from batchscan.util.timestamps import elapsed, parse_rfc3339, rfc3339

if TYPE_CHECKING:
    from batchscan.report.html_page import Scope

ALL = "all"  # the run's id in a report about everything
RUNS_LOOKED_AT = 1_000  # to find the last run over each set of roots
MATCHES_ON_PAGE = 1_000  # of one picture; the table has all
RUNS_NAMED = 5  # as suggestions for an unknown run
_NO_RUN = "the ledger knows of no run that has ended"
_NOT_ENDED = (
    "a scan is under way, or one was stopped at once or killed: the next scan writes its report. "
    "`batchscan export` lists what is known so far"
)
_NAME_STATE = "name the state folder of your scans with --state"


def find_run(ledger: Ledger, run_id: str | None) -> StoredRun:
    """The closed run with this id; None for the last one with a meaningful report.

    Raises:
        UsageError: there is none.
    """
    run = ledger.runs.closed(run_id) if run_id else ledger.runs.last()
    if run is not None:
        return run
    recent = ledger.runs.newest(RUNS_NAMED)
    if not recent and ledger.runs.unclosed():
        raise UsageError(f"{_NO_RUN} yet", advice=_NOT_ENDED)
    if run_id is None or not recent:
        raise UsageError(_NO_RUN, advice=_NAME_STATE)
    advice = f"the last ones are {', '.join(recent)}"
    raise UsageError(f"the ledger knows of no run {run_id!r} that has ended", advice=advice)


def view_of_run(ledger: Ledger, run: StoredRun, allowing: ActiveAllowRules) -> ReportView:
    """A view of the pictures that a run saw."""
    return allowing.view(ledger, OfRun(run.run_id, run.matched), _news_of(run))


def view_from_last(ledger: Ledger, allowing: ActiveAllowRules) -> ReportView:
    """A view of all pictures; new are the matches of the last run, and of a scan that goes on.

    The last run is the newest one with a meaningful report.
    """
    return allowing.view(ledger, Everything(), _last_runs(ledger))


def regenerate_report(view: ReportView, run: StoredRun, allowing: ActiveAllowRules) -> Report:
    """A run's report, with the current matches of the pictures that it saw.

    Raises:
        StorageError: the ledger's report cannot be read.
    """
    return with_summary(stored_report(run), summarize(view, allowing))


def report_for_all(ledger: Ledger, view: ReportView, allowing: ActiveAllowRules) -> Report:
    """A report about all files of the realm.

    The ledger's table of files has no failed and deferred files; their numbers are taken from the
    last run over each set of roots.

    Raises:
        UsageError: no run has ended.
        StorageError: the ledger's report cannot be read.
    """
    runs = ledger.runs.of_realm(RUNS_LOOKED_AT)
    if not runs:
        raise UsageError(_NO_RUN, advice=_NAME_STATE)
    reports = [stored_report(run) for run in runs]
    last = reports[0]
    latest = list({tuple(report.run.roots): report for report in reversed(reports)}.values())
    tally, first = _books_of_all(ledger, latest), ledger.runs.first_start()
    run = Run(
        id=ALL,
        roots=list(dict.fromkeys(root for report in latest for root in report.run.roots)),
        version=version.version(),
        started_at=rfc3339(first),
        finished_at=last.run.finished_at,
        duration_s=elapsed(first, parse_rfc3339(last.run.finished_at)),
        exit_code=None,
        exit_reason=last.run.exit_reason,
        partial=any(report.run.partial for report in latest),
        dry_run=False,
        at_least_s=None,
        sandbox=last.run.sandbox,
        message=None,
        advice=None,
    )
    report = build(run, tally, summarize(view, allowing), balance=last.credits.balance)
    unchecked = some_of_each(_unchecked_of_all(ledger, latest))
    return msgspec.structs.replace(report, unchecked_files=unchecked)


def _books_of_all(ledger: Ledger, latest: Sequence[Report]) -> Tally:
    """Counts of the ledger, and of what the last runs over each set of roots left unchecked.

    Raises:
        StorageError: the ledger is damaged.
    """
    books = ledger.reporting.books()
    tally = Tally(
        statuses=Counter(
            {
                Status.SCANNED: books.answered - books.covered,
                Status.COVERED: books.covered,
                Status.REJECTED: books.rejected,
            }
        ),
        reasons=Counter(books.reasons),
        bytes=books.bytes,
        unreadable_folders=sum(report.files.unreadable_folders for report in latest),
        unreadable_names=dict.fromkeys(
            (name for report in latest for name in report.files.unreadable_folder_names), ""
        ),
        empty_roots=[root for report in latest for root in report.files.empty_roots],
        charged=books.charged,
        expected=books.charged,
        outcome_unknown=books.outcome_unknown,
    )
    for status, reasons in ((Status.FAILED, FailReason), (Status.DEFERRED, DeferReason)):
        for report in latest:
            counts = {
                reason: report.reasons[reason] for reason in reasons if reason in report.reasons
            }
            tally.reasons.update(counts)
            tally.statuses[status] += sum(counts.values())
    if fault := tally.fault():  # all counts are from the ledger: two of its pages disagree
        raise damaged(ledger.path, [fault])
    return tally


def _unchecked_of_all(ledger: Ledger, latest: Iterable[Report]) -> Iterator[UncheckedFile]:
    """Files that are still rejected, and the failed and deferred ones that the last runs named."""
    yield from rejected_before(ledger.files.rejections.all())
    for report in latest:
        for file in report.unchecked_files:
            if file.status in (Status.FAILED, Status.DEFERRED):
                yield file


def last_perspective(ledger: Ledger, allowing: ActiveAllowRules) -> Perspective:
    """The perspective of `view_from_last`."""
    return allowing.perspective(_last_runs(ledger))


def _last_runs(ledger: Ledger) -> tuple[str, ...]:
    last = ledger.runs.last_of_realm()
    under_way = (run.run_id for run in ledger.runs.unclosed())
    return (*under_way, *(_news_of(last) if last else ()))


def stored_report(run: StoredRun) -> Report:
    """The report that the run itself made.

    Raises:
        StorageError: it cannot be read.
    """
    try:
        return msgspec.json.decode(run.report or b"", type=Report)
    except msgspec.MsgspecError as error:
        raise StorageError(
            f"the ledger's report of {run.run_id} cannot be read: {error}"
        ) from error


def _news_of(run: StoredRun) -> tuple[str, ...]:
    return (run.run_id, *msgspec.json.decode(run.facts, type=RunCheckpoint).news_of)


MATCHES = "matches.csv"
PAGE = "report.html"


def render(
    name: str, report: Report, view: ReportView, now: float, *, previews: bool = False
) -> Iterator[bytes]:
    """Render a report about the pictures of a view, in parts.

    Args:
        name: one of `FORMATS`.
        report: the figures.
        view: the pictures.
        now: seconds since 1970.
        previews: whether the page shows thumbnails of matches.
    """
    if name == "html":
        return _page(report, view, now, previews=previews)
    format_ = FORMATS[name]
    pictures = view.pictures(streamed=format_.streamed)
    written: Iterator[bytes] = import_module(f"batchscan.report.{format_.module}").render(
        report, pictures
    )
    return written


def _page(report: Report, view: ReportView, now: float, *, previews: bool) -> Iterator[bytes]:
    """Render the HTML page."""
    from batchscan.report import html_page  # noqa: PLC0415 - importing Jinja is slow

    pictures = view.pictures(previews=previews, most=MATCHES_ON_PAGE)
    return html_page.render(
        report, pictures, made_at=now, scope=_scope(report, previews=previews), facets=view.facets
    )


def write_companions(folder: str, report: Report, view: ReportView, now: float) -> list[str]:
    """Write the files beside report.json into a run's folder; returns their paths.

    Raises:
        StorageError: a file cannot be written.
    """
    return [
        write_table(folder, report, view, now),
        write_page(folder, report, view, now),
    ]


def write_table(folder: str, report: Report, view: ReportView, now: float) -> str:
    """Write matches.csv into a run's folder atomically; returns its path.

    Raises:
        StorageError: it cannot be written.
    """
    path = os.path.join(folder, MATCHES)
    write_atomic(path, render("csv", report, view, now))
    return path


def write_page(folder: str, report: Report, view: ReportView, now: float) -> str:
    """Write report.html into a run's folder atomically; returns its path.

    Raises:
        StorageError: it cannot be written.
    """
    path = os.path.join(folder, PAGE)
    write_atomic(path, render("html", report, view, now))
    return path


def _scope(report: Report, *, previews: bool) -> Scope:
    from batchscan.report.html_page import Scope  # noqa: PLC0415 - importing Jinja is slow

    again = "--html FILE --previews" if previews else "--html FILE"
    if report.run.id != ALL:
        return Scope(again=f"batchscan report --run {report.run.id} {again}", previews=previews)
    return Scope(
        everything=True,
        table="the table of batchscan report --all --csv FILE",
        again=f"batchscan report --all {again}",
        previews=previews,
    )
