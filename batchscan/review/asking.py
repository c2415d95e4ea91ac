"""Asking the sites of matches: what is there now. Costs nothing, and takes its time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from batchscan.commands.capture import Captured, CaptureOptions, capture_match, capture_matches
from batchscan.commands.recheck import RecheckRequest, recheck
from batchscan.enums import CaptureKind
from batchscan.ledger.match_choice import MatchChoice
from batchscan.ledger.match_rows import MatchKey
from batchscan.recheck.run import RecheckProgress
from batchscan.report.wording import amount
from batchscan.review.actions import ActionResult
from batchscan.review.jobs import BackgroundJob
from batchscan.review.theirs import VERDICTS
from batchscan.settings import Settings
from batchscan.url_patterns import UrlPattern


async def capture_one(settings: Settings, place: MatchKey, options: CaptureOptions) -> ActionResult:
    """Capture one match, and say what came of it.

    Raises:
        StorageError: the file or the ledger cannot be written.
    """
    captured = await capture_match(settings, place, options)
    if captured is None:
        return ActionResult("", warning="This match is no longer in the ledger.")
    trouble = _trouble(captured)
    if trouble is None:
        return ActionResult("Captured.")
    return ActionResult("", warning=f"Captured, but without their picture: {trouble}.")


async def capture_site(
    settings: Settings, domain: str, there: int, options: CaptureOptions, job: BackgroundJob
) -> ActionResult:
    """Capture everything that is on a site.

    Args:
        settings: which state folder.
        domain: the site.
        there: matches that are on it now.
        options: how.
        job: says how far it is.

    Raises:
        UsageError: that is no site.
        StorageError: a file or the ledger cannot be written.
    """
    finished = failed = 0
    job.progress = lambda: (finished, max(there, finished))

    def count(captured: Captured) -> None:
        nonlocal finished, failed
        finished += 1
        failed += _trouble(captured) is not None

    choice = MatchChoice(covers=[UrlPattern.of(domain).covers], only_present=True)
    number = await capture_matches(settings, choice, options, count)
    warning = f"The pictures of {amount(failed, 'match')} could not be fetched." if failed else None
    return ActionResult(f"{amount(number, 'match')} captured.", warning=warning)


async def recheck_one(
    settings: Settings, place: MatchKey, connect_to: tuple[str, ...]
) -> ActionResult:
    """Ask whether one match is still there, with any disposition.

    Raises:
        LockedError: another recheck is on.
        StorageError: the ledger cannot be used.
    """
    request = RecheckRequest(place=place, connect_to=connect_to)
    result = await recheck(settings, request)
    if not result.matches:
        return ActionResult("", warning="This match is no longer in the ledger.")
    return ActionResult(f"Asked: {VERDICTS[result.matches[0].picture.verdict]}.")


async def recheck_site(
    settings: Settings,
    domain: str,
    connect_to: tuple[str, ...],
    job: BackgroundJob,
    *,
    removes: bool,
) -> ActionResult:
    """Ask whether what a site was written about is still there.

    Args:
        settings: which ledger, and how sites are asked.
        domain: the site.
        connect_to: addresses in the place of others.
        job: says how far it is.
        removes: whether what is gone is marked so.

    Raises:
        UsageError: no match is known there.
        LockedError: another recheck is on.
        StorageError: the ledger cannot be used.
    """

    @asynccontextmanager
    async def follow(progress: RecheckProgress) -> AsyncIterator[None]:
        job.progress = lambda: (progress.done, progress.total)
        yield

    request = RecheckRequest(domains=(domain,), mark=removes, connect_to=connect_to)
    result = await recheck(settings, request, observer=follow)
    if not result.matches:
        return ActionResult("", warning="No match there is marked noticed, so nothing was asked.")
    counts = "; ".join(
        f"{number:,} {VERDICTS[verdict]}" for verdict, number in sorted(result.counts.items())
    )
    marked = f" {amount(result.marked, 'match')} marked removed." if result.marked else ""
    return ActionResult(f"{amount(len(result.matches), 'match')} asked about: {counts}.{marked}")


def _trouble(captured: Captured) -> str | None:
    """Why their picture cannot be shown."""
    for resource in captured.file.resources:
        if resource.kind is not CaptureKind.PICTURE:
            continue
        if resource.http_status is None:
            return resource.trouble or "no answer"
        if resource.http_status // 100 != 2:  # noqa: PLR2004 - HTTP's
            return f"HTTP {resource.http_status}"
        return None if resource.preview else "what is there is not a picture that can be shown"
    return "no answer"
