"""Figures of the last run for Prometheus, in a file for node_exporter's textfile collector."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from batchscan import version
from batchscan.enums import DeferReason, ExitReason, FailReason, RejectReason, Status
from batchscan.report.schema import Report
from batchscan.util.atomic_file import write_atomic
from batchscan.util.timestamps import parse_rfc3339

AS_PLANNED = (0, 5, 10)  # exit codes: complete, own limit reached, complete and --fail-on met
_REASONS = (RejectReason, FailReason, DeferReason)
_MODE = 0o644  # the collector is another user
_LAST_SUCCESS = "batchscan_last_success_timestamp_seconds"
_MAX_BYTES = 1_000_000  # bytes of an old file that is read


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ended, to those who watch it from outside; times are seconds since 1970."""

    exit_code: int
    exit_reason: ExitReason
    started_at: float
    finished_at: float
    report: Report | None = None  # of a run that came so far
    oldest_answer: float | None = None


def write_metrics(path: str, ending: Ending) -> None:
    """Write the figures atomically, replacing those of the run before.

    The label `scan` is the file's name, to distinguish several jobs.

    Raises:
        StorageError: it cannot be written.
    """
    success = ending.finished_at if ending.exit_code in AS_PLANNED else _last_success(path)
    name = os.path.basename(path).removesuffix(".prom")
    registry = CollectorRegistry()
    registry.register(_Figures(name, ending, success))
    advice = "name another file with --metrics-file, or correct the permissions of its folder"
    write_atomic(path, [generate_latest(registry)], mode=_MODE, advice=advice)


def _last_success(path: str) -> float | None:
    """The time of the last success in the existing file; None without one."""
    try:
        with open(path, encoding="utf-8") as file:
            families = text_string_to_metric_families(file.read(_MAX_BYTES))
            values = [
                family.samples[0].value for family in families if family.name == _LAST_SUCCESS
            ]
    except (OSError, ValueError, IndexError):  # none, or not ours
        return None
    return values[0] if values else None


class _Figures(Collector):
    """The metrics of a run; unknown ones are left out."""

    def __init__(self, name: str, ending: Ending, success: float | None) -> None:
        self._name = name
        self._ending = ending
        self._success = success

    def collect(self) -> Iterator[Metric]:
        """Give every figure."""
        yield from self._run()
        if self._ending.report is not None:
            yield from self._pictures(self._ending.report)
            yield from self._money(self._ending.report)
            yield from self._api(self._ending.report)
            yield from self._alerts(self._ending.report)

    def _run(self) -> Iterator[Metric]:
        ending, report = self._ending, self._ending.report
        about_it = GaugeMetricFamily(
            "batchscan_run_info",
            "The last run; the value is always 1",
            labels=["scan", "run_id", "version", "exit_reason"],
        )
        run_id = report.run.id if report else ""
        about_it.add_metric([self._name, run_id, version.version(), ending.exit_reason], 1)
        yield about_it
        started = parse_rfc3339(report.run.started_at) if report else ending.started_at
        figures = (
            ("run_exit_code", "How the last run ended", ending.exit_code),
            ("run_start_timestamp_seconds", "When the last run started", started),
            ("run_end_timestamp_seconds", "When the last run ended", ending.finished_at),
            ("run_duration_seconds", "How long the last run took", ending.finished_at - started),
            (
                "last_success_timestamp_seconds",
                f"When a run last ended as planned: exit code {', '.join(map(str, AS_PLANNED))}",
                self._success,
            ),
            (
                "oldest_answer_age_seconds",
                "Age of the oldest answer in use",
                None if ending.oldest_answer is None else ending.finished_at - ending.oldest_answer,
            ),
        )
        for name, text, value in figures:
            yield from self._gauge(name, text, value)

    def _pictures(self, report: Report) -> Iterator[Metric]:
        files, matches = report.files, report.matches
        new, returned = matches.new or 0, matches.returned or 0
        yield self._gauges(
            "images",
            "Pictures of the last run by status",
            "status",
            {status.value: getattr(files, status) for status in Status},
        )
        if files.checked is not None and files.unchecked is not None:
            yield self._gauges(
                "images_by_check",
                "Pictures of the last run by whether they are checked",
                "check",
                {"checked": files.checked, "unchecked": files.unchecked},
            )
            yield self._gauges(
                "images_unchecked",
                "Pictures of the last run without an answer, by reason",
                "reason",
                {word: report.unchecked.get(word, 0) for kind in _REASONS for word in kind},
            )
        yield from self._gauge(
            "images_with_matches", "Pictures seen that have matches", matches.images_with_matches
        )
        yield self._gauges(
            "matches",
            "Matches of all pictures seen, by how the last run found them",
            "state",
            {
                "new": new,
                "returned": returned,
                "known": matches.total - new - returned,
                "gone": matches.gone or 0,
            },
        )
        yield from self._gauge(
            "worklist_matches", "Matches that need a decision or an action", matches.worklist
        )

    def _money(self, report: Report) -> Iterator[Metric]:
        credits_ = report.credits
        figures = (
            ("credits_charged", "Credits that the last run was charged", credits_.charged),
            (
                "credits_unknown",
                "Credits that the last run may have been charged without an answer",
                credits_.outcome_unknown,
            ),
            ("credits_balance", "Credits left on the account", credits_.balance),
        )
        for name, text, value in figures:
            yield from self._gauge(name, text, value)

    def _api(self, report: Report) -> Iterator[Metric]:
        api = report.api
        figures = (
            ("api_requests", "Pictures that the last run sent, retries too", api.requests),
            ("api_retries", "Requests of the last run that were retries", api.retries),
            ("api_rate_limited", "Answers of the last run with status 429", api.rate_limited),
            ("api_sent_bytes", "Bytes of the last run's requests", api.bytes_sent),
        )
        for name, text, value in figures:
            yield from self._gauge(name, text, value)

    def _alerts(self, report: Report) -> Iterator[Metric]:
        if report.alerts is not None:
            yield from self._gauge(
                "alerts_pending", "Messages that are not delivered yet", report.alerts.pending
            )

    def _gauge(self, name: str, text: str, value: float | None) -> Iterator[Metric]:
        if value is not None:
            family = GaugeMetricFamily(f"batchscan_{name}", text, labels=["scan"])
            family.add_metric([self._name], value)
            yield family

    def _gauges(self, name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
        family = GaugeMetricFamily(f"batchscan_{name}", text, labels=["scan", label])
        for word, value in values.items():
            family.add_metric([self._name, word], value)
        return family
