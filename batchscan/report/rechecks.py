"""Rechecks as text."""

from __future__ import annotations

from collections.abc import Iterator

from batchscan.enums import RecheckVerdict
from batchscan.rechecked import MatchRecheck, is_unproven
from batchscan.report_sections import Rechecks
from batchscan.util.timestamps import utc_time

_SENTENCES = {
    RecheckVerdict.THERE: "still there",
    RecheckVerdict.CHANGED: "something else is there",
    RecheckVerdict.GONE_ONCE: "not found, once so far",
    RecheckVerdict.GONE: "gone",
    RecheckVerdict.UNKNOWN: "unknown",
}


def counted(rechecks: Rechecks) -> Iterator[str]:
    """The number for each verdict: `2 gone`."""
    for verdict in RecheckVerdict:
        if number := getattr(rechecks, verdict.value):
            yield f"{number:,} {verdict.value.replace('_', ' ')}"
    if rechecks.overruled:
        yield f"{rechecks.overruled:,} overruled by a later answer"


def described(recheck: MatchRecheck) -> str:
    """The last recheck of a match: `rechecked on 2026-11-28: gone since 2026-11-20`."""
    return f"rechecked on {_day(recheck.checked_at)}: {'; '.join(_parts(recheck))}"


def _parts(recheck: MatchRecheck) -> Iterator[str]:
    since = f" since {_day(recheck.gone_since)}" if recheck.gone_since is not None else ""
    why = f" ({recheck.detail})" if recheck.detail else ""
    yield f"{_SENTENCES[recheck.verdict]}{since}{why}"
    if recheck.likeness is not None:
        yield f"{recheck.likeness:.0%} like what was first fetched"
    if recheck.our_likeness is not None:
        yield f"{recheck.our_likeness:.0%} like ours"
        if is_unproven(recheck.likeness, recheck.our_likeness):
            yield "not fetched before"
    if recheck.overruled_at is not None:
        yield f"overruled by the service's answer of {_day(recheck.overruled_at)}, which names it again"
    for verdict in RecheckVerdict:
        if number := sum(page.verdict is verdict for page in recheck.pages):
            word = "page" if number == 1 else "pages"
            yield f"{number:,} {word} {verdict.value.replace('_', ' ')}"


def _day(seconds: float) -> str:
    return utc_time(seconds).strftime("%Y-%m-%d")
