"""Formatting counts, durations, names and reasons for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import accumulate, takewhile

from batchscan.enums import DeferReason, ExitReason, FailReason, RejectReason
from batchscan.util.columns import columns_of

# A reason after its number, as in "3 over 20 MB"; those in _NOUNS take an s.
_PHRASES: dict[str, str] = {
    RejectReason.EMPTY: "empty",
    RejectReason.TOO_LARGE: "over 20 MB",
    RejectReason.TOO_MANY_PIXELS: "with too many pixels",
    RejectReason.UNSUPPORTED_FORMAT: "in an unsupported format",
    RejectReason.NOT_AN_IMAGE: "not an image",
    RejectReason.EXTENSION_MISMATCH: "with an extension that does not fit",
    RejectReason.CORRUPT: "damaged",
    RejectReason.REFUSED_BY_API: "refused by the API",
    FailReason.UNREADABLE: "unreadable",
    FailReason.VANISHED: "vanished",
    FailReason.CHANGED_WHILE_READING: "changed while being read",
    FailReason.CHECK_FAILED: "could not be checked",
    FailReason.NETWORK: "network error",
    FailReason.SERVER_ERROR: "server error",
    FailReason.BAD_RESPONSE: "unusable response",
    FailReason.OUTCOME_UNKNOWN: "unknown outcome",
    DeferReason.CREDITS: "out of credits",
    DeferReason.BUDGET: "beyond the budget",
    DeferReason.LIMIT: "beyond the limit",
    DeferReason.DURATION: "not reached in time",
    DeferReason.INTERRUPTED: "not reached when interrupted",
    DeferReason.UNAVAILABLE: "service unavailable",
    DeferReason.AUTH: "login refused",
    DeferReason.TOO_YOUNG: "changed too recently",
    DeferReason.DRY_RUN: "would be checked",
}
_NOUNS = frozenset(
    {
        FailReason.NETWORK,
        FailReason.SERVER_ERROR,
        FailReason.BAD_RESPONSE,
        FailReason.OUTCOME_UNKNOWN,
    }
)
_ENDINGS: dict[ExitReason, str] = {
    ExitReason.OK: "complete",
    ExitReason.INTERNAL_ERROR: "stopped by a bug in batchscan",
    ExitReason.USAGE: "not started: flags, settings or paths were wrong",
    ExitReason.PARTIAL: "finished, but not everything could be scanned",
    ExitReason.AUTH: "stopped: the login was refused",
    ExitReason.LIMIT: "stopped at a limit that was set, and work remains",
    ExitReason.NO_CREDITS: "stopped: the account is out of credits",
    ExitReason.LOCKED: "not started: another run held the state folder",
    ExitReason.UNAVAILABLE: "stopped: the service was not available",
    ExitReason.STORAGE: "stopped: state or output could not be written",
    ExitReason.MATCHES: "complete, with matches that --fail-on names",
    ExitReason.INTERRUPTED: "interrupted",
    ExitReason.KILLED: "killed before it finished",
}
_MINUTE, _HOUR = 60, 3600
KEEP = "\u00a0"  # a space at which no line is broken; names from outside never have one
_SIZES = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


def amount(number: int, noun: str) -> str:
    """Count things: `1 picture`, `1,000 pictures`, `2 matches`."""
    ending = "" if number == 1 else "es" if noun.endswith("ch") else "s"
    return f"{number:,} {noun}{ending}"


def money_of(credits_: int, price: str) -> str:
    """Say what credits cost at a price of `0.01 EUR` each: `3.00 EUR`."""
    unit_price, currency = price.split(" ")
    cost = Decimal(unit_price) * credits_
    digits = max(2, -int(cost.normalize().as_tuple().exponent))
    return f"{cost:,.{digits}f} {currency}"


def explained(number: int, reason: str) -> str:
    """Count files with a reason: `3 over 20 MB`, `8 server errors`."""
    phrase = _PHRASES[reason]
    return amount(number, phrase) if reason in _NOUNS else f"{number:,} {phrase}"


def most_first(counts: Mapping[str, int], kinds: Iterable[str]) -> list[tuple[int, str]]:
    """The given kinds that occur, with their counts; the most frequent one first."""
    pairs = ((counts.get(kind, 0), kind) for kind in kinds)
    return sorted((pair for pair in pairs if pair[0]), key=lambda pair: -pair[0])


def ended(reason: ExitReason) -> str:
    """Say how a run ended."""
    return _ENDINGS[reason]


def size(number: int) -> str:
    """Say how large a file is: `812 bytes`, `2.1 MB`."""
    for unit, name in _SIZES:
        if number >= unit:
            return f"{number / unit:,.1f} {name}"
    return amount(number, "byte")


def duration(seconds: float) -> str:
    """Say how long something takes: `12 s`, `17 min 5 s`, `2 h 47 min`; never less than it is."""
    whole_seconds = int(-(-seconds // 1))
    if whole_seconds < _MINUTE:
        return f"{whole_seconds} s"
    if whole_seconds < _HOUR:
        return f"{whole_seconds // _MINUTE} min {whole_seconds % _MINUTE} s"
    minutes = -(-whole_seconds // _MINUTE)
    return f"{minutes // 60} h {minutes % 60} min"


def shortened(text: str, width: int) -> str:
    """Cut a long name in its middle, to keep its end; it then takes at most `width` columns."""
    if sum(map(columns_of, text)) <= width:
        return text
    tail = (width - 1) * 2 // 3
    return f"{_first(text, width - 1 - tail)}…{_first(text[::-1], tail)[::-1]}"


def _first(text: str, width: int) -> str:
    """The first characters that fit into some columns."""
    ends = accumulate(map(columns_of, text))
    return text[: sum(1 for _ in takewhile(lambda end: end <= width, ends))]


def is_or_are(number: int) -> str:
    """The verb that goes with a number."""
    return "is" if number == 1 else "are"


def was_or_were(number: int) -> str:
    """The same, of the past."""
    return "was" if number == 1 else "were"


def sentence(start: str, parts: list[str]) -> Iterator[str]:
    """One sentence that lists the parts; none without any."""
    if parts:
        yield f"{start}{', '.join(parts)}."
