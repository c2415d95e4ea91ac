"""The end of a run: its files completed, its report made, the ledger brought up to date."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import math
from collections.abc import Awaitable
from functools import partial
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from batchscan import version
from batchscan.enums import DeferReason, ExitReason, Status
from batchscan.errors import StorageError
from batchscan.ledger import FreshnessPolicy, Ledger
from batchscan.pipeline.exit_status import exit_status
from batchscan.pipeline.session import Session
from batchscan.report.build import RunFacts, build
from batchscan.report.run_folder import point_latest, write_report
from batchscan.report.schema import (
    Alerts,
    Api,
    Cluster,
    Latency,
    Plan,
    Report,
    UncheckedFile,
    encode,
)
from batchscan.report_sections import MatchSummary
from batchscan.runs.report_reuse import ReportBasis, find_basis, write_or_link
from batchscan.runs.reports import write_page
from batchscan.runs.retention import apply_retention
from batchscan.runs.unchecked import UNCHECKED, some_of_each, unchecked_files
from batchscan.settings.units import format_rate
from batchscan.tally import Tally
from batchscan.util.escaping import replace_surrogates

T = TypeVar("T")
DAYS_A_MONTH = 365.25 / 12
_NOTHING = ReportBasis(MatchSummary())
log = logging.getLogger(__name__)


class _Said(NamedTuple):
    """What else the report says that takes its time to find out."""

    balance: int | None
    alerts: Alerts | None
    unchecked: list[UncheckedFile] | None


async def finish(session: Session) -> Report:
    """Complete everything that a run leaves; a disk that fails becomes its reason to stop."""
    await _or_stop(session, session.processor.flush_refusals())
    await _or_stop(session, session.results.close())
    balance = await _balance(session)
    await _or_stop(session, _seal(session))
    basis = (
        await _or_stop(
            session, session.ledger.run(lambda ledger: find_basis(ledger, session.allow_rules))
        )
        or _NOTHING
    )
    digest = basis.digest
    alerts = await _or_stop(session, session.ledger.run(partial(_make_messages, session=session)))
    said = _Said(balance, alerts, await _or_stop(session, _name_unchecked(session)))
    session.stop.freeze()
    report = _report(session, digest, said)
    report = await _or_stop(session, _write(session, report, basis)) or report
    if report.run.exit_code != _exit(session, digest)[0]:
        # It could not be written as it is: what is returned says so.
        return _report(session, digest, said)
    return report if session.stop.leaves_open else await _tell(session, report)


def _make_messages(ledger: Ledger, session: Session) -> Alerts | None:
    """Put what alerts are due into the outbox before the run is closed: nobody looks for it later."""
    session.notifier.make_messages(ledger, session.allow_rules, session.clock.wall())
    return session.notifier.status(ledger)


async def _tell(session: Session, report: Report) -> Report:
    """Tell people, now that no target can do the run any harm; the report says how that went."""
    if report.alerts is None or not report.alerts.pending or session.stop.urgent.is_set():
        return report
    notifier = session.notifier
    delivered = await notifier.send(session.ledger, session.clock, session.stop.urgent)

    def amend(ledger: Ledger) -> Report:
        now = session.clock.wall()
        amended = replace(report, alerts=notifier.status(ledger, delivered))
        write_page(session.folder, amended, ledger, now)
        write_report(session.folder, amended)
        ledger.runs.update_report(session.run_id, encode(amended))
        return amended

    try:
        return await session.ledger.run(amend)
    except StorageError as error:
        log.warning("the report does not tell how the alerts went: %s", error)
        return report


async def _or_stop(session: Session, work: Awaitable[T]) -> T | None:
    """Do something that the disk may refuse."""
    try:
        return await work
    except StorageError as error:
        session.stop.request(error)
        return None


async def _balance(session: Session) -> int | None:
    """What is left on the account, if this run asked anything and the service is there."""
    if not session.stats.requests or session.settings.api.sandbox or session.stop:
        return None
    permit = await session.limiter.acquire()
    return None if permit is None else await session.engine.balance()


async def _seal(session: Session) -> None:
    """Make the next run quick over the folders that this one brought to their verdicts."""
    after: int | None = 0
    standing = session.source.freshness
    decided = session.tally.seen > session.source.checkpoint.unchanged
    while decided and after is not None and not (session.settings.dry_run or session.stop):
        after = await session.ledger.run(partial(_seal_some, standing=standing, after=after))


def _seal_some(ledger: Ledger, *, standing: FreshnessPolicy, after: int) -> int | None:
    return ledger.files.build_cache(standing, after)


def _exit(session: Session, digest: MatchSummary) -> tuple[int, ExitReason]:
    fail_on = session.settings.scan.fail_on
    dry_run = session.settings.dry_run
    return exit_status(session.stop, session.tally, digest.alarms, fail_on, dry_run=dry_run)


async def _write(session: Session, report: Report, basis: ReportBasis) -> Report:
    """Write what the run leaves, and close it; the report as it was written."""
    folder, now = session.folder, session.clock.wall()
    unreadable = session.tally.unreadable_names
    report = await session.ledger.run(
        lambda ledger: write_or_link(folder, report, ledger, basis, unreadable, now)
    )
    await asyncio.to_thread(write_report, folder, report)
    if not session.settings.dry_run:
        learned, reach = session.limiter.learned, session.limiter.longest_window
        # What an earlier run's digest says is kept once
        kept = replace(report, domains=[], images=[]) if basis.known else report

        def close(ledger: Ledger) -> None:
            ledger.rate_limits.forget_sends_before(now - reach)
            if learned is not None:
                ledger.rate_limits.learn(learned)
            # After trouble with the disk the next run looks what can be taken in after all, and
            # after a bug what had been kept before it.
            if not session.stop.leaves_open:
                ledger.runs.close(session.run_id, encode(kept), ledger.report_pictures.matched())

        await session.ledger.run(close)
    output = session.settings.output
    await asyncio.to_thread(point_latest, output.directory, report)
    if not (session.settings.dry_run or session.stop.leaves_open):
        await apply_retention(session.ledger, output)
    return report


async def _name_unchecked(session: Session) -> list[UncheckedFile] | None:
    """Some of the files without an answer; None where all have one."""
    if not (session.tally.unchecked.total() or session.tally.unreadable_folders):
        return None
    folder = session.folder
    return await session.ledger.run(lambda ledger: some_of_each(unchecked_files(folder, ledger)))


def _report(session: Session, digest: MatchSummary, said: _Said) -> Report:
    facts = dataclasses.replace(
        _facts(session, digest),
        balance=said.balance,
        alerts=said.alerts,
        unchecked_files=tuple(said.unchecked or ()),
        unchecked_table=None if said.unchecked is None else UNCHECKED,
    )
    return build(facts, session.tally, digest, _api(session))


def _facts(session: Session, digest: MatchSummary) -> RunFacts:
    code, reason = _exit(session, digest)
    settings, stopped = session.settings, session.stop.reason
    return RunFacts(
        id=session.run_id,
        roots=settings.roots,
        version=version.version(),
        started_at=session.started_at,
        finished_at=session.clock.wall(),
        exit_code=code,
        exit_reason=reason,
        partial=reason not in (ExitReason.OK, ExitReason.MATCHES),
        dry_run=settings.dry_run,
        at_least_s=_at_least(session) if settings.dry_run else None,
        round_days=_round_days(session) if settings.dry_run else None,
        plan=_plan(session) if settings.dry_run else None,
        sandbox=settings.api.sandbox,
        message=str(stopped) if stopped else None,
        advice=stopped.advice if stopped else None,
        cluster=_cluster(session),
    )


def _cluster(session: Session) -> Cluster | None:
    facts = session.engine.cluster
    if facts is None:
        return None
    lost = [replace_surrogates(address) for address in facts.lost]
    return Cluster(workers=facts.workers, hosts=facts.hosts, lost=lost)


def _planned(tally: Tally) -> int:
    """Pictures that would be sent; others share their answers."""
    return tally.reasons[DeferReason.DRY_RUN] - tally.planned_shared


def _plan(session: Session) -> Plan:
    tally, rates = session.tally, session.settings.pace.rate
    slowest = max(rates, key=lambda rate: rate.period / rate.requests)
    return Plan(
        pictures=_planned(tally),
        bytes=tally.planned_bytes,
        shared=tally.planned_shared,
        rate=format_rate(slowest),
    )


def _at_least(session: Session) -> float:
    """Seconds that the rates alone make the planned uploads take."""
    pictures = _planned(session.tally)
    pace = session.settings.pace
    slowest = max(rate.period / rate.requests for rate in pace.rate)
    return round(pictures * slowest * (1 + pace.headroom), 1)


def _round_days(session: Session) -> int | None:
    """Days until every picture has been asked once, with one run a day; None without a budget."""
    spend, tally = session.settings.spend, session.tally
    a_month = None if spend.per_month is None else spend.per_month / DAYS_A_MONTH
    bounds = [most for most in (spend.per_day, a_month, spend.max_credits) if most is not None]
    pictures = tally.seen - tally.statuses[Status.REJECTED] - tally.statuses[Status.FAILED]
    if not bounds or not min(bounds):
        return None
    return math.ceil(pictures * session.budget.price / min(bounds))


def _api(session: Session) -> Api:
    stats = session.stats
    return Api(
        requests=stats.requests,
        retries=stats.retries,
        rate_limited=session.limiter.rate_limited,
        logins=session.engine.logins,
        latency_ms=Latency(
            p50=stats.latencies.quantile(0.5),
            p95=stats.latencies.quantile(0.95),
            max=stats.latencies.quantile(1.0),
        ),
        bytes_sent=stats.bytes_sent,
    )
