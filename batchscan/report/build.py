"""Building the report of a run from its facts, counts and match summary."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import msgspec

from batchscan.enums import ExitReason, Status
from batchscan.errors import BatchscanError
from batchscan.report import schema
from batchscan.report.wording import money_of
from batchscan.report_sections import MatchSummary
from batchscan.tally import Tally
from batchscan.util.escaping import path_fields, replace_surrogates
from batchscan.util.timestamps import rfc3339

MAX_FOLDERS = 100  # unreadable ones that a report names


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """Facts about a run apart from its pictures; times are seconds since 1970."""

    id: str
    roots: tuple[str, ...]
    version: str
    started_at: float
    finished_at: float
    exit_code: int | None  # None for a run that was killed
    exit_reason: ExitReason
    partial: bool = False
    dry_run: bool = False
    at_least_s: float | None = None  # of a dry run: seconds for the uploads at the configured rates
    round_days: int | None = (
        None  # of a dry run: days until every picture was sent within the budget
    )
    plan: schema.Plan | None = None  # of a dry run
    renditions: str = "ask"  # the setting for versions of one picture
    rendition_price: int = 1  # credits for sending one version
    sandbox: bool = False
    message: str | None = None  # what ended the run early
    advice: str | None = None  # and what to do about it
    balance: int | None = None  # credits left on the account
    credit_price: str | None = None  # what a credit costs, such as 0.01 EUR
    alerts: schema.Alerts | None = None  # None without a target
    cluster: schema.Cluster | None = None  # None on one machine
    unchecked_files: tuple[schema.UncheckedFile, ...] = ()  # some of each reason
    unchecked_table: str | None = None  # the file beside the report that names all of them


def build(run: RunFacts, tally: Tally, digest: MatchSummary, api: schema.Api) -> schema.Report:
    """Make the report.

    Raises:
        BatchscanError: the counts do not add up, which is a bug.
    """
    fault = tally.fault()
    if fault:
        raise BatchscanError(f"the books do not close: {fault}")
    return schema.Report(
        schema=schema.SCHEMA,
        run=_run(run),
        files=_files(tally, run.rendition_price),
        reasons=dict(sorted(tally.reasons.items())),
        unchecked=dict(sorted(tally.unchecked.items())),
        unchecked_files=list(run.unchecked_files),
        unchecked_table=run.unchecked_table,
        credits=_credits(run, tally),
        matches=digest.matches,
        run_matches=digest.run_matches,
        domains=list(digest.domains),
        images=list(digest.images),
        allow_rules=list(digest.rules),
        rechecks=digest.rechecks,
        alerts=run.alerts,
        cluster=run.cluster,
        api=api,
    )


def with_digest(report: schema.Report, digest: MatchSummary) -> schema.Report:
    """Replace the matches in a report."""
    return msgspec.structs.replace(
        report,
        matches=digest.matches,
        run_matches=digest.run_matches,
        domains=list(digest.domains),
        images=list(digest.images),
        allow_rules=list(digest.rules),
        rechecks=digest.rechecks,
    )


def _credits(run: RunFacts, tally: Tally) -> schema.Credits:
    return schema.Credits(
        charged=tally.charged,
        expected=tally.expected,
        saved_by_reuse=tally.saved_by_reuse,
        outcome_unknown=tally.outcome_unknown,
        balance=run.balance,
        money=None if run.credit_price is None else _money(tally, run.credit_price),
    )


def _money(tally: Tally, price: str) -> schema.Money:
    return schema.Money(
        price=price,
        charged=money_of(tally.charged, price),
        expected=money_of(tally.expected, price),
        outcome_unknown=money_of(tally.outcome_unknown, price),
    )


def _run(run: RunFacts) -> schema.Run:
    return schema.Run(
        id=run.id,
        roots=[path_fields(root)[0] for root in run.roots],
        version=run.version,
        started_at=rfc3339(run.started_at),
        finished_at=rfc3339(run.finished_at),
        duration_s=round(max(0.0, run.finished_at - run.started_at), 3),
        exit_code=run.exit_code,
        exit_reason=run.exit_reason,
        partial=run.partial,
        dry_run=run.dry_run,
        at_least_s=run.at_least_s,
        round_days=run.round_days,
        plan=run.plan,
        renditions=run.renditions,
        sandbox=run.sandbox,
        message=run.message and replace_surrogates(run.message),
        advice=run.advice and replace_surrogates(run.advice),
    )


def _files(tally: Tally, price: int) -> schema.Files:
    return schema.Files(
        seen=tally.seen,
        checked=tally.seen - tally.unchecked.total(),
        unchecked=tally.unchecked.total(),
        unchanged=tally.statuses[Status.UNCHANGED],
        scanned=tally.statuses[Status.SCANNED],
        reused=tally.statuses[Status.REUSED],
        covered=tally.statuses[Status.COVERED],
        renditions=tally.renditions,
        renditions_credits=None if tally.renditions is None else tally.renditions * price,
        rejected=tally.statuses[Status.REJECTED],
        failed=tally.statuses[Status.FAILED],
        deferred=tally.statuses[Status.DEFERRED],
        unchanged_rejected=tally.unchanged_rejected.total(),
        ignored=tally.ignored,
        excluded=tally.excluded,
        unreadable_folders=tally.unreadable_folders,
        empty_roots=[path_fields(root)[0] for root in tally.empty_roots],
        bytes=tally.bytes,
        unreadable_folder_names=[
            path_fields(path)[0] for path in islice(tally.unreadable_names, MAX_FOLDERS)
        ],
        converted=tally.converted.total(),
        converted_formats=dict(sorted(tally.converted.items())),
    )
