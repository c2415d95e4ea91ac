"""The tasks that follow from a report, most urgent first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from batchscan.report.schema import Report, Run
from batchscan.report.wording import amount

_REVIEW = "batchscan review"


class Task(NamedTuple):
    """One task."""

    what: str
    command: str | None = None  # that does it
    place: str | None = None  # the part of the page that says more


def to_do(report: Report) -> list[Task]:
    """The tasks; none when all is checked and decided."""
    parts = (_the_run, _coverage, _matches, _rules, _alerts)
    return [task for part in parts for task in part(report)]


def _the_run(report: Report) -> Iterator[Task]:
    run = report.run
    if run.message and run.partial:
        yield Task(f"The run ended early: {run.message}.{_advised(run.advice)}")
    elif run.advice:
        yield Task(f"{run.message or 'Note'}.{_advised(run.advice)}")


def _advised(advice: str | None) -> str:
    return f" What to do: {advice}." if advice else ""


def _coverage(report: Report) -> Iterator[Task]:
    files = report.files
    if files.unreadable_folders:
        folders = amount(files.unreadable_folders, "folder")
        yield Task(
            f"{folders} could not be read: give read permission, or exclude them", None, "coverage"
        )
    if files.empty_roots:
        folders = amount(len(files.empty_roots), "folder")
        yield Task(
            f"{folders} with known pictures, now empty or missing: is a disk not mounted?",
            None,
            "coverage",
        )
    if report.run.dry_run:
        return
    if again := files.failed + files.deferred:
        yield Task(
            f"{amount(again, 'picture')} without an answer{_retry(report.run)}",
            None,
            "coverage",
        )
    if rejected := files.rejected + (files.unchanged_rejected or 0):
        yield Task(
            f"{amount(rejected, 'picture')} rejected and not sent: see which, and why",
            None,
            "unchecked",
        )


def _retry(run: Run) -> str:
    """How to ask about what is left; the advice of a run that ended early says it itself."""
    if run.force:  # the same command would ask about everything again
        return "" if run.advice else ": run the same command without --force"
    how = "" if run.advice else ": run the same command again"
    return f"{how}; no answer is paid for twice"


def _matches(report: Report) -> Iterator[Task]:
    matches = report.matches
    if matches.worklist:
        yield Task(
            f"{amount(matches.worklist, 'match')} to decide about or to act on", _REVIEW, "pictures"
        )
    if report.credits.outcome_unknown:
        credits_ = amount(report.credits.outcome_unknown, "credit")
        yield Task(f"{credits_} possibly charged without an answer", "batchscan credits", "money")


def _rules(report: Report) -> Iterator[Task]:
    idle = [rule for rule in report.allow_rules if rule.expired or not rule.covers]
    if idle:
        rules = amount(len(idle), "allow rule")
        yield Task(f"{rules} expired, or covering nothing", "batchscan allow list", "allowed")


def _alerts(report: Report) -> Iterator[Task]:
    if report.alerts and report.alerts.pending:
        messages = amount(report.alerts.pending, "message")
        yield Task(f"{messages} that could not be delivered yet", "batchscan alerts", None)
