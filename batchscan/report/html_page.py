"""`report.html`: one file that works offline and without JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from batchscan.enums import DeferReason, ExitReason, FailReason, RejectReason
from batchscan.report.coverage import coverage, losses
from batchscan.report.headline import headline
from batchscan.report.html_assets import environment, inlined, policy
from batchscan.report.html_escaping import sentence
from batchscan.report.html_filters import filters
from batchscan.report.html_pictures import PictureList, moment, picture_list
from batchscan.report.schema import Report
from batchscan.report.text import NO_SITE, alerts, converted, dry_run
from batchscan.report.to_do import to_do
from batchscan.report.unchecked_names import by_reason, rest
from batchscan.report.wording import duration, ended, explained, most_first
from batchscan.report_sections import Domain, MatchFacets, PictureMatches
from batchscan.version import version

MAX_DOMAINS = 2_000
MAX_RULES = 200
MAX_ROOTS = 12
TOP = 10  # sites and pictures in the summary on paper
_CHUNK = 500  # pieces of the template that are written at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The scope of a page, the file with the complete data, and the command to make it again."""

    everything: bool = False  # the whole ledger, not only one run
    previews: bool = False  # small copies of pictures from the web are shown
    table: str = "matches.csv"  # the file with every match and page
    again: str = "batchscan report --html FILE"


_REASONS = (*RejectReason, *FailReason, *DeferReason)


class Figure(NamedTuple):
    """A number, its label, and its path in `report.json`."""

    figure: str
    number: int
    label: str


def render(
    report: Report,
    pictures: Iterable[PictureMatches],
    *,
    made_at: float,
    scope: Scope = Scope(),
    facets: Callable[[], MatchFacets] | None = None,
) -> Iterator[bytes]:
    """Render the page in parts.

    Args:
        report: the report.
        pictures: those with new matches first; only as many are read as the file has room for.
        made_at: seconds since 1970.
        scope: what the page covers.
        facets: returns the counts for the filters; called only if the file has no room for all.
    """
    shown = picture_list(pictures, scope.table)
    counted = shown.counted or (facets() if facets else None)
    stream = environment().get_template("report.html").stream(
        report=report,
        scope=scope,
        gallery=shown,
        counted=counted,
        filters=filters(counted) if counted else [],
        made_at=moment(made_at),
        version=version(),
        policy=policy(),
        style=inlined("report.css"),
        script=inlined("report.js"),
        domains=_domains(report, shown),
        rules=report.allow_rules[:MAX_RULES],
        roots=report.run.roots[:MAX_ROOTS],
        left_out=max(0, report.matches.images_with_matches - shown.present),
        **_words(report),
    )  # fmt: skip
    stream.enable_buffering(_CHUNK)
    return (part.encode() for part in stream)


def _words(report: Report) -> dict[str, object]:
    run, matches, reasons = report.run, report.matches, report.reasons
    return {
        "ended": ended(run.exit_reason),
        "took": duration(run.duration_s),
        "fresh": None if matches.new is None else matches.new + (matches.returned or 0),
        "incomplete": _incomplete(report),
        "loud": _incomplete(report) and not run.dry_run,
        "headline": headline(report),
        "tasks": [task._replace(what=sentence(task.what)) for task in to_do(report)],
        "worst_site": next((site.domain for site in report.domains if site.domain), None),
        "top_sites": report.domains[:TOP] if _is_large(report) else [],
        "top_pictures": report.images[:TOP] if _is_large(report) else [],
        "no_site": NO_SITE,
        "message": sentence(run.message or ""),
        "advice": sentence(run.advice or ""),
        "lead": sentence(next(coverage(report))),
        "converted": sentence(" ".join(line.strip() for line in converted(report))),
        "dry_run": sentence(" ".join(line.strip() for line in dry_run(report))),
        "alerts": [line.strip().removeprefix("Alerts: ") for line in alerts(report)],
        "uncovered": [sentence(line) for line in losses(report) if line.startswith("Not scanned")],
        "bar": _bar(report),
        "unchecked": _counts(report.unchecked, _REASONS, "unchecked"),
        "unchecked_groups": by_reason(report),
        "unchecked_rest": _unchecked_rest(report),
        "folder_rest": _folder_rest(report),
        "not_scanned": _counts(reasons, (*DeferReason, *FailReason)),
        "rejected": _counts(reasons, RejectReason),
        "other": matches.total - matches.full - matches.partial,
    }


def _is_large(report: Report) -> bool:
    """Whether the printed page begins with a summary."""
    return report.matches.images_with_matches > TOP or len(report.domains) > TOP


def _unchecked_rest(report: Report) -> dict[str, str]:
    """By reason, a sentence about where to find the names that are not on the page."""
    return {group.reason: " ".join(rest(report, group.more)) for group in by_reason(report)}


def _folder_rest(report: Report) -> str:
    files = report.files
    return " ".join(rest(report, files.unreadable_folders - len(files.unreadable_folder_names)))


def _incomplete(report: Report) -> bool:
    """Whether "nothing was found" would be misleading."""
    files, run = report.files, report.run
    gaps = (
        files.failed
        or files.deferred
        or files.unreadable_folders
        or files.empty_roots
        or files.unchecked
    )
    early = run.partial or run.exit_reason == ExitReason.KILLED
    return bool(gaps or early or not files.seen)


def _counts(
    reasons: Mapping[str, int], kinds: Iterable[str], section: str = "reasons"
) -> list[Figure]:
    return [
        Figure(f"{section}.{kind}", number, explained(number, kind).partition(" ")[2])
        for number, kind in most_first(reasons, kinds)
    ]


class BarSegment(NamedTuple):
    """A part of the coverage bar, in thousandths."""

    status: str
    start: float
    width: float


def _bar(report: Report) -> list[BarSegment]:
    """The segments of the coverage bar: answered pictures on the left, others on the right."""
    files = report.files
    segments, start = [], 0.0
    for status in ("scanned", "reused", "covered", "unchanged", "rejected", "failed", "deferred"):
        width = 1000 * getattr(files, status) / files.seen if files.seen else 0.0
        if width:
            segments.append(BarSegment(status, round(start, 2), round(width, 2)))
        start += width
    return segments


class Site(NamedTuple):
    """A row of the table of domains, and the first picture on that site."""

    domain: Domain
    name: str
    article: int | None


def _domains(report: Report, shown: PictureList) -> list[Site]:
    return [
        Site(domain, domain.domain or NO_SITE, shown.first_of.get(domain.domain))
        for domain in report.domains[:MAX_DOMAINS]
    ]
