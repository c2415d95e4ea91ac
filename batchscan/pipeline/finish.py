"""The end of a run: complete its files, make its report, close it in the ledger."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Awaitable
from functools import partial
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from batchscan import version
from batchscan.enums import ExitReason, Status
from batchscan.errors import BatchscanError, LimitReached, StorageError
from batchscan.ledger import FreshnessPolicy, Ledger, ReportView, ThisProcess
from batchscan.pipeline.decision_recorder import DecisionRecorder
from batchscan.pipeline.dry_run import least_seconds, plan_of, round_days
from batchscan.pipeline.exit_status import exit_status
from batchscan.pipeline.session import Session
from batchscan.report.build import build
from batchscan.report.run_folder import point_latest, write_report
from batchscan.report.schema import (
    Alerts,
    Api,
    Cluster,
    Latency,
    Report,
    Run,
    UncheckedFile,
    encode,
)
from batchscan.report_sections import MatchSummary
from batchscan.runs.recovery import recover_killed_runs
from batchscan.runs.report_reuse import ReportBasis, find_basis, write_or_link
from batchscan.runs.reports import write_page
from batchscan.runs.retention import apply_retention
from batchscan.runs.unchecked import UNCHECKED, some_of_each, unchecked_files
from batchscan.util.escaping import replace_surrogates
from batchscan.util.timestamps import elapsed, rfc3339

T = TypeVar("T")
log = logging.getLogger(__name__)
BALANCE_WAIT = 30.0  # seconds for a request's turn; a low rate may let it wait for hours


class _ReportExtras(NamedTuple):
    """Sections of the report that take time to find out."""

    balance: int | None
    alerts: Alerts | None
    unchecked: list[UncheckedFile] | None


async def finish(session: Session, decisions: DecisionRecorder) -> Report:
    """Complete all output of a run; if the disk fails, that becomes its reason to stop."""
    await _or_stop(session, decisions.flush_refusals())
    session.tally.outcome_unknown = session.tally.doubts * session.service.budget.doubt
    await _or_stop(session, session.results.close())
    balance = await _balance(session)
    await _or_stop(session, _build_block_cache(session))
    basis = await _or_stop(session, session.state.ledger.run(partial(_basis, session=session)))
    basis = basis or ReportBasis(MatchSummary())
    summary = basis.summary
    alerts = await _or_stop(
        session, session.state.ledger.run(partial(_make_messages, session=session))
    )
    extras = _ReportExtras(balance, alerts, await _or_stop(session, _name_unchecked(session)))
    if session.settings.force and session.service.stats.requests:
        session.stop.advise_against_force()
    session.stop.freeze()
    report = _report(session, summary, extras)
    report = await _or_stop(session, _write(session, report, basis)) or report
    if report.run.exit_code != _exit(session, summary)[0]:
        # Writing it has failed and changed the exit code, which the returned report has to show.
        return _report(session, summary, extras)
    if session.stop.leaves_open:
        return report
    report = await _send_alerts(session, report)
    await _close_killed_runs(session)
    return report


async def _close_killed_runs(session: Session) -> None:
    """Close killed runs that waited for a price, and answers that came late for a closed run."""
    ledger, sandbox = session.state.ledger, session.settings.api.sandbox
    rules, now = session.allow_rules, session.clock.wall()
    try:
        unclosed = await ledger.run(lambda ledger: ledger.runs.unclosed())
        if unclosed and not session.settings.dry_run:
            await recover_killed_runs(ledger, rules, sandbox=sandbox, now=now, newest=False)
    except StorageError as error:
        log.warning(
            "the reports of killed runs could not be written; the next scan tries again: %s", error
        )


def _view(ledger: Ledger, session: Session) -> ReportView:
    """The pictures of this run; matches of unreported killed runs count as new, too."""
    return session.allow_rules.view(ledger, ThisProcess(), session.run.news_of)


def _basis(ledger: Ledger, session: Session) -> ReportBasis:
    return find_basis(ledger, _view(ledger, session), session.allow_rules)


def _make_messages(ledger: Ledger, session: Session) -> Alerts | None:
    """Put due alerts into the outbox; before the run is closed, as later runs do not look again."""
    session.notifier.make_messages(ledger, session.allow_rules, session.clock.wall())
    return session.notifier.status(ledger)


async def _send_alerts(session: Session, report: Report) -> Report:
    """Send alerts after everything is written, and add the result to the report."""
    if report.alerts is None or not report.alerts.pending or session.stop.urgent.is_set():
        return report
    notifier = session.notifier
    delivered = await notifier.send(session.state.ledger, session.clock, session.stop.urgent)

    def amend(ledger: Ledger) -> Report:
        now = session.clock.wall()
        amended = replace(report, alerts=notifier.status(ledger, delivered))
        write_page(session.run.folder, amended, _view(ledger, session), now)
        write_report(session.run.folder, amended)
        ledger.runs.update_report(session.run.id, encode(amended))
        return amended

    try:
        return await session.state.ledger.run(amend)
    except StorageError as error:
        log.warning("the report could not be updated with the alerts: %s", error)
        return report


async def _or_stop(session: Session, work: Awaitable[T]) -> T | None:
    """Await `work`; a storage error stops the run and gives None."""
    try:
        return await work
    except StorageError as error:
        session.stop.request(error)
        return None


async def _balance(session: Session) -> int | None:
    """Credits left on the account, if this run sent anything and the service is available."""
    if not session.service.stats.requests or session.settings.api.sandbox or session.stop:
        return None
    until = session.clock.monotonic() + BALANCE_WAIT
    permit = await session.service.limiter.acquire(until)
    return None if permit is None else await session.service.engine.balance()


async def _build_block_cache(session: Session) -> None:
    """Let the next run skip whole folders whose files all have their verdicts."""
    after: int | None = 0
    freshness = session.run.freshness
    decided = session.tally.seen > session.tally.statuses[Status.UNCHANGED]
    while decided and after is not None and not (session.settings.dry_run or session.stop):
        after = await session.state.ledger.run(
            partial(_cache_some, freshness=freshness, after=after)
        )


def _cache_some(ledger: Ledger, *, freshness: FreshnessPolicy, after: int) -> int | None:
    return ledger.files.build_cache(freshness, after)


def _exit(session: Session, summary: MatchSummary) -> tuple[int, ExitReason]:
    fail_on = session.settings.scan.fail_on
    dry_run = session.settings.dry_run
    return exit_status(session.stop, session.tally, summary.alarms, fail_on, dry_run=dry_run)


async def _write(session: Session, report: Report, basis: ReportBasis) -> Report:
    """Write the run's files and close the run; returns the report as it was written."""
    folder, now = session.run.folder, session.clock.wall()
    unreadable = session.tally.unreadable_names

    def leave(ledger: Ledger) -> Report:
        with_view = dataclasses.replace(basis, view=basis.view or _view(ledger, session))
        return write_or_link(folder, report, ledger, with_view, unreadable, now)

    report = await session.state.ledger.run(leave)
    await asyncio.to_thread(write_report, folder, report)
    if not session.settings.dry_run:
        learned, reach = session.service.limiter.learned, session.service.limiter.longest_window
        # A summary that equals an earlier run's is stored only once.
        stored = replace(report, domains=[], images=[]) if basis.cached else report

        def close(ledger: Ledger) -> None:
            ledger.rate_limits.forget_sends_before(now - reach)
            if learned is not None:
                ledger.rate_limits.learn(learned)
            # Left open after a disk error or a bug, the run is completed by the next one from
            # what is in the ledger and in rescued answers.
            if not session.stop.leaves_open:
                ledger.runs.close(
                    session.run.id, encode(stored), (basis.view or _view(ledger, session)).matched()
                )

        await session.state.ledger.run(close)
    output = session.settings.output
    await asyncio.to_thread(point_latest, output.directory, report)
    if not (session.settings.dry_run or session.stop.leaves_open):
        await apply_retention(session.state.ledger, output)
    return report


async def _name_unchecked(session: Session) -> list[UncheckedFile] | None:
    """A bounded list of files without an answer; None if all have one."""
    if not (session.tally.unchecked.total() or session.tally.unreadable_folders):
        return None
    folder = session.run.folder
    return await session.state.ledger.run(
        lambda ledger: some_of_each(unchecked_files(folder, ledger))
    )


def _report(session: Session, summary: MatchSummary, extras: _ReportExtras) -> Report:
    report = build(
        _run(session, summary),
        session.tally,
        summary,
        rendition_price=0 if session.settings.api.sandbox else session.service.budget.price,
        credit_price=session.settings.spend.credit_price,
        balance=extras.balance,
    )
    return replace(
        report,
        alerts=extras.alerts,
        cluster=_cluster(session),
        api=_api(session),
        unchecked_files=extras.unchecked or [],
        unchecked_table=None if extras.unchecked is None else UNCHECKED,
    )


def _run(session: Session, summary: MatchSummary) -> Run:
    code, reason = _exit(session, summary)
    settings = session.settings
    message, advice = _ending(session.stop.explained, dry_run=settings.dry_run)
    finished_at = session.clock.wall()
    return Run(
        id=session.run.id,
        roots=list(settings.roots),
        version=version.version(),
        started_at=rfc3339(session.run.started_at),
        finished_at=rfc3339(finished_at),
        duration_s=elapsed(session.run.started_at, finished_at),
        exit_code=code,
        exit_reason=reason,
        partial=reason not in (ExitReason.OK, ExitReason.MATCHES),
        dry_run=settings.dry_run,
        at_least_s=least_seconds(settings, session.tally) if settings.dry_run else None,
        round_days=(
            round_days(settings, session.tally, session.service.budget.price)
            if settings.dry_run
            else None
        ),
        plan=plan_of(settings, session.tally) if settings.dry_run else None,
        renditions=settings.scan.renditions,
        sandbox=settings.api.sandbox,
        force=settings.force,
        message=message,
        advice=advice,
    )


def _ending(stopped: BatchscanError | None, *, dry_run: bool) -> tuple[str | None, str | None]:
    """The reason why the run ended early, and advice; for a dry run, why a scan would."""
    if stopped is None:
        return None, None
    if dry_run and isinstance(stopped, LimitReached):
        return f"A scan would stop there: {stopped}", None
    return str(stopped), stopped.advice


def _cluster(session: Session) -> Cluster | None:
    facts = session.service.engine.cluster
    if facts is None:
        return None
    lost = [replace_surrogates(address) for address in facts.lost]
    return Cluster(workers=facts.workers, hosts=facts.hosts, lost=lost)


def _api(session: Session) -> Api:
    stats = session.service.stats
    return Api(
        requests=stats.requests,
        retries=stats.retries,
        rate_limited=session.service.limiter.rate_limited,
        logins=session.service.engine.logins,
        latency_ms=Latency(
            p50=stats.latencies.quantile(0.5),
            p95=stats.latencies.quantile(0.95),
            max=stats.latencies.quantile(1.0),
        ),
        bytes_sent=stats.bytes_sent,
    )
