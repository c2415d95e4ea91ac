"""The output of `batchscan state stats`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from batchscan.ledger import FILE_NAME
from batchscan.ledger.backup import no_ledger
from batchscan.ledger.schema import VERSION
from batchscan.ledger.stats import RealmStats, RunStats
from batchscan.report.wording import KEEP, amount, size
from batchscan.runs.checkpoint import RunCheckpoint
from batchscan.settings import Settings
from batchscan.settings.locations import state_folder
from batchscan.state.access import read_ledger
from batchscan.util.calendar import DAY, MONTH, CalendarWindow, zone_of
from batchscan.util.escaping import printable, replace_surrogates
from batchscan.util.timestamps import rfc3339, utc_date

_DAY = 86_400
_TABLES_NAMED = 6  # the largest ones
_TABLES = {  # in words where a table's name is not one that people know
    "cached_files": "cache of files",
    "capture_files": "captures",
    "claims": "uploads",
    "covered": "covered versions",
    "decided": "decisions",
    "digests": "reports",
    "doubts": "uncertain uploads",
    "equals": "files with a shared answer",
    "outcomes": "result lines",
    "pace": "rates",
    "portraits": "thumbnails",
    "realms": "services",
    "rendition_decisions": "decisions about versions",
    "recheck_runs": "rechecks",
    "seals": "cache of folders",
    "sends": "uploads",
    "sightings": "matches",
    "their_pictures": "rechecked pictures",
    "unread_bodies": "unreadable answers",
}


@dataclass(frozen=True, slots=True)
class StateStats:
    """The numbers of the ledger's rows and bytes, as of one moment."""

    path: Path
    now: float
    time_zone: str  # of the day and the month
    size: int  # bytes, like the next three
    log: int
    free: int
    copies: dict[str, int]  # of older versions, beside it
    tables: dict[str, int]
    folders: int
    runs: RunStats
    messages: tuple[int, int]  # pending, told
    realms: list[RealmStats]  # credits: ever, this month, this day


def gather(settings: Settings, now: float) -> StateStats:
    """Count.

    Raises:
        StorageError: there is no ledger, or it cannot be used.
    """
    path = state_folder(settings) / FILE_NAME
    if not path.exists():
        raise no_ledger(path)
    zone = zone_of(settings.spend.time_zone)
    windows = [CalendarWindow(which, None, zone) for which in (MONTH, DAY)]
    for window in windows:
        window.move_to(now)
    with read_ledger(settings) as ledger:
        holdings = ledger.stats
        news_of = _reported(holdings.latest_runs())
        return StateStats(
            path=path,
            now=now,
            time_zone=settings.spend.time_zone,
            size=os.path.getsize(path),
            log=_size_of(Path(f"{path}-wal")),
            free=holdings.free(),
            copies={
                copy.name: _size_of(copy) for copy in sorted(path.parent.glob(f"{FILE_NAME}.v*"))
            },
            tables=holdings.sizes(),
            folders=holdings.folders(),
            runs=holdings.runs(),
            messages=holdings.messages(),
            realms=holdings.realms([0.0, *(window.starts_at for window in windows)], news_of),
        )


def fields(facts: StateStats) -> dict[str, object]:
    """The statistics as the JSON object of `state stats --json`."""
    return {
        "ledger": replace_surrogates(str(facts.path)),
        "version": VERSION,
        "bytes": {
            "ledger": facts.size,
            "log": facts.log,
            "free": facts.free,
            "copies": {replace_surrogates(name): number for name, number in facts.copies.items()},
            "tables": facts.tables,
        },
        "folders": facts.folders,
        "runs": asdict(facts.runs),
        "messages": dict(zip(("pending", "told"), facts.messages, strict=True)),
        "realms": [_realm_fields(realm) for realm in facts.realms],
    }


def page(facts: StateStats) -> Iterator[str]:
    """The statistics as lines of text."""
    yield printable(str(facts.path))
    log = f", and {size(facts.log)} in its write-ahead log" if facts.log else ""
    yield f"  version {VERSION}, {size(facts.size)}{log}"
    yield f"  most of it: {', '.join(_largest(facts.tables))}"
    if facts.free:
        yield f"  {size(facts.free)} unused: `batchscan state vacuum` returns them to the disk"
    for name, number in facts.copies.items():
        yield f"  {printable(name)}, from before an upgrade: {size(number)}"
    yield f"  {amount(facts.folders, 'folder')}; {_runs(facts.runs)}"
    pending, delivered = facts.messages
    yield f"  alerts: {amount(pending, 'message')} pending, {delivered:,} delivered"
    for realm in facts.realms:
        yield from _realm_page(realm, facts)


def _largest(tables: dict[str, int]) -> Iterator[str]:
    """The largest tables with their sizes; tables of one name are counted as one."""
    sizes: Counter[str] = Counter()
    for name, number in tables.items():
        sizes[_TABLES.get(name, name.replace("_", " "))] += number
    for words, number in sizes.most_common(_TABLES_NAMED):
        yield f"{words} {size(number)}".replace(" ", KEEP)


def _reported(runs: list[tuple[str, bytes]]) -> list[str]:
    """The runs whose matches are reported as new: also those of killed ones that they closed."""
    news = (msgspec.json.decode(facts, type=RunCheckpoint).news_of for _, facts in runs)
    return [run_id for run_id, _ in runs] + [run_id for of_run in news for run_id in of_run]


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _runs(runs: RunStats) -> str:
    if not runs.oldest:
        return "no run yet"
    ended = f"{amount(runs.closed, 'run')} ended"
    open_ = f", {runs.open:,} not closed" if runs.open else ""
    until = f" to {runs.newest}" if runs.newest != runs.oldest else ""
    return f"{ended}{open_} ({runs.oldest}{until})"


def _realm_fields(realm: RealmStats) -> dict[str, object]:
    ever, month, day = realm.credits
    return {
        **asdict(realm),
        "api_url": replace_surrogates(realm.api_url),
        "credits": {"ever": ever, "month": month, "day": day},
        "oldest_answer": _time(realm.oldest_answer),
        "newest_answer": _time(realm.newest_answer),
    }


def _time(at: float | None) -> str | None:
    return None if at is None else rfc3339(at)


def _realm_page(realm: RealmStats, facts: StateStats) -> Iterator[str]:
    yield f"{printable(realm.api_url)}{' (sandbox)' if realm.sandbox else ''}"
    answered = f"{realm.answered:,} with an answer; {amount(realm.answers, 'answer')} in all"
    yield f"  {amount(realm.pictures, 'picture')}, {answered}"
    if realm.oldest_answer is not None:
        days = max(0, int((facts.now - realm.oldest_answer) // _DAY))
        yield f"  oldest answer: {utc_date(realm.oldest_answer)}, {amount(days, 'day')} ago"
    yield f"  {amount(realm.files, 'file')}, {realm.rejected:,} rejected"
    ever, month, day = realm.credits
    zone = printable(facts.time_zone)
    yield f"  {amount(ever, 'credit')} charged: {month:,} this month, {day:,} today ({zone})"
    if realm.doubts or realm.open_claims:
        sends = amount(realm.doubts, "upload")
        yield f"  {sends} perhaps charged without an answer, {realm.open_claims:,} still open"
    for state, numbers in sorted(realm.matches.items()):
        text = ", ".join(f"{number:,} {word}" for word, number in sorted(numbers.items()))
        yield f"  {state} matches: {text}"
