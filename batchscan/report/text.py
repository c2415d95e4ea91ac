"""The report as text: coverage, then matches, then costs."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from functools import partial

from batchscan.enums import DeferReason
from batchscan.report.coverage import checked, counted_files, losses
from batchscan.report.rechecks import counted
from batchscan.report.schema import Report
from batchscan.report.versions import renditions
from batchscan.report.wording import (
    KEEP,
    amount,
    duration,
    is_or_are,
    sentence,
    shortened,
    size,
    was_or_were,
)
from batchscan.report_sections import Matches
from batchscan.util.escaping import printable
from batchscan.util.timestamps import parse_rfc3339, utc_date

WIDTH = 100  # columns
NARROW = 80  # columns of most terminals: lines with a name fit into it
NO_SITE = "no site at all"  # of URLs without a host
TOP = 5  # domains and pictures that are named
_NAME_WIDTH = 60  # columns of a picture's name
_DOMAIN_WIDTH = 40


def summary(report: Report, where: str, width: int = WIDTH) -> str:
    """The summary of a run in a few lines; `where` is the folder with its files.

    All lines fit into `width` columns, except those with `where` or a message. Untrusted strings
    are escaped for the terminal.
    """
    parts = (
        checked,
        dry_run,
        partial(counted_files, where=where),
        converted,
        renditions,
        losses,
        _matches,
        money,
        alerts,
        cluster,
        _end,
    )
    lines = [line for part in parts for line in part(report)]
    return (
        "\n".join([*(_wrapped(line, width) for line in lines), f"Files: {printable(where)}"]) + "\n"
    )


def converted(report: Report) -> Iterator[str]:
    """Report the files that were converted to JPEG."""
    files = report.files
    if not files.converted:
        return
    most_first = sorted(files.converted_formats.items(), key=lambda item: (-item[1], item[0]))
    formats = ", ".join(f"{number:,} {printable(form).upper()}" for form, number in most_first)
    verb = "would be" if report.run.dry_run else was_or_were(files.converted)
    yield f"  {files.converted:,} {verb} converted to JPEG before sending: {formats}."


def dry_run(report: Report) -> Iterator[str]:
    """Report what a scan would send and cost, after a dry run."""
    if not report.run.dry_run:
        return
    yield _planned(report)
    plan = report.run.plan
    if plan is not None and plan.shared:
        more = amount(plan.shared, "more file")
        answers = "its answer" if plan.pictures == 1 else "the answers of these"
        yield f"  {more} would share {answers}. Nothing was sent."
    else:
        yield "  Nothing was sent."
    if report.run.round_days is not None:
        days = amount(report.run.round_days, "day")
        by = parse_rfc3339(report.run.finished_at) + report.run.round_days * 86_400
        yield f"  At this budget, asking about the whole library takes {days}, until {utc_date(by)}."


def _planned(report: Report) -> str:
    """The number of pictures that would be sent, their price, and the least time that it takes."""
    plan, least = report.run.plan, report.run.at_least_s
    number = report.reasons.get(DeferReason.DRY_RUN, 0) if plan is None else plan.pictures
    would = f"Would send {amount(number, 'picture')}"
    price = amount(report.credits.expected, "credit") + _money(report, "expected")
    if plan is None or least is None or not number:
        return f"{would}: {price}." if number else f"{would}."
    much = size(plan.bytes)
    return (
        f"{would} ({much}): {price}. That takes at least {duration(least)} at {plan.rate}, and as "
        f"long as your connection needs for {much}."
    )


def _matches(report: Report) -> Iterator[str]:
    if report.run.sandbox:
        yield "Sandbox: the answers are the vendor's mock answers and say nothing about the pictures."
    totals = report.matches
    if not totals.total:
        if report.files.seen and not report.run.dry_run:
            yield "Matches: none in the answers so far."
        yield from _history(totals)
        yield from rechecks(report)
        return
    pictures = amount(totals.images_with_matches, "picture")
    have = "has" if totals.images_with_matches == 1 else "have"
    yield f"Matches: {pictures} {have} {kinds(totals)}."
    yield from _history(totals)
    yield from rechecks(report)
    domains = ", ".join(
        f"{shortened(printable(site.domain or NO_SITE), _DOMAIN_WIDTH)}"
        f" ({amount(site.images, 'picture')})".replace(" ", KEEP)
        for site in report.domains[:TOP]
    )
    if domains:
        yield f"  Most on: {domains}."
    for image in report.images[:TOP]:
        kinds_ = [(image.full, "full"), (image.partial, "partial")]
        counts = ", ".join(f"{number:,} {kind}" for number, kind in kinds_ if number) or "other"
        room = min(_NAME_WIDTH, NARROW - len(f"  : {counts}"))
        yield f"  {shortened(printable(image.path), room)}: {counts}"


def _history(totals: Matches) -> Iterator[str]:
    """Count new, returned, gone and open matches; nothing for a report of an older version."""
    counts = (
        (totals.new, "new"),
        (totals.returned, "returned"),
        (totals.gone, "gone"),
        (totals.allowed, "allowed by your rules"),
        (totals.worklist, "on the worklist (`batchscan review`)"),
    )
    yield from sentence("  ", [f"{number:,} {what}" for number, what in counts if number])


def rechecks(report: Report) -> Iterator[str]:
    """Report the last answers of the sites themselves."""
    if report.rechecks is not None:
        yield f"  At the last recheck: {', '.join(counted(report.rechecks))}."


def money(report: Report) -> Iterator[str]:
    """Report credits that were charged or may have been; nothing for a dry run."""
    credits_ = report.credits
    if report.run.dry_run:
        return
    parts = [f"{credits_.charged:,} charged{_money(report, 'charged')}"]
    if credits_.saved_by_reuse:
        parts.append(f"{credits_.saved_by_reuse:,} saved by reuse")
    if credits_.outcome_unknown:
        unknown = f"possibly charged without an answer{_money(report, 'outcome_unknown')}"
        parts.append(f"{credits_.outcome_unknown:,} {unknown}")
    if credits_.balance is not None:
        parts.append(f"{credits_.balance:,} left")
    yield from sentence("Credits: ", parts)


def _money(report: Report, what: str) -> str:
    money = report.credits.money
    return "" if money is None else f" ({getattr(money, what)})"


def alerts(report: Report, named: Callable[[str], str] = printable) -> Iterator[str]:
    """Report delivered and pending alerts; `named` formats names and messages of targets."""
    messages = report.alerts
    if messages is None:
        return
    parts = [f"{amount(messages.told, 'message')} delivered"] if messages.told else []
    if messages.pending:
        waits = "waits" if messages.pending == 1 else "wait"
        parts.append(f"{amount(messages.pending, 'message')} {waits} for the next run")
    yield from sentence("Alerts: ", parts)
    for trouble in messages.troubles:
        yield f"  {named(trouble.target)} did not get all alerts: {named(trouble.trouble)}"


def cluster(report: Report) -> Iterator[str]:
    """Report the workers of a cluster, and those that were lost."""
    cluster_ = report.cluster
    if cluster_ is None:
        return
    yield f"Cluster: {amount(cluster_.workers, 'worker')} on {amount(cluster_.hosts, 'host')}."
    if cluster_.lost:
        named = ", ".join(
            shortened(printable(address), _NAME_WIDTH) for address in cluster_.lost[:TOP]
        )
        number = len(cluster_.lost)
        yield f"  {amount(number, 'worker')} {was_or_were(number)} lost: {named}."


def _end(report: Report) -> Iterator[str]:
    run = report.run
    if run.message:
        left = report.reasons.get(DeferReason.INTERRUPTED, 0)
        rest = f"; {left:,} of the pictures found {is_or_are(left)} left" if left else ""
        message = f"{printable(run.message)}{rest}"
        yield f"Ended early: {message}" if run.partial else message
    if run.advice:
        yield f"What to do: {printable(run.advice)}"


def kinds(totals: Matches) -> str:
    """Count matches by kind."""
    of_another_kind = totals.total - totals.full - totals.partial
    rest = f", {of_another_kind:,} of another kind" if of_another_kind > 0 else ""
    return (
        f"{amount(totals.total, 'match')}: {totals.full:,} full, {totals.partial:,} partial{rest}"
    )


def _wrapped(line: str, width: int) -> str:
    indent = len(line) - len(line.lstrip()) + 2
    filled = textwrap.fill(
        line,
        width,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
        drop_whitespace=True,
    )
    return filled.replace(KEEP, " ")
