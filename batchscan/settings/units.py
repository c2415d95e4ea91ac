"""Sizes (`20MB`), durations (`1h30m`) and rates (`900/15m`) as people write them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

_DURATIONS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_SIZES = {
    "TiB": 1024**4,
    "TB": 1000**4,
    "GiB": 1024**3,
    "GB": 1000**3,
    "MiB": 1024**2,
    "MB": 1000**2,
    "KiB": 1024,
    "kB": 1000,
    "B": 1,
}
_SIZES_BY_LOWER = {unit.lower(): size for unit, size in _SIZES.items()}

# [0-9], not \d: other scripts' digits are no help in a settings file. Bounded, so that no text
# is turned into a number of a million digits.
_DURATION = re.compile(r"(?:[0-9]{1,15}(?:\.[0-9]{1,9})? ?(?:ms|[wdhms]) ?)+")
_DURATION_PART = re.compile(r"([0-9.]+) ?(ms|[wdhms])")
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?([A-Za-z]*)")
_RATE = re.compile(r"([0-9]{1,9}) ?/ ?(.+)")


class Rate(NamedTuple):
    """At most `requests` in any `period` seconds."""

    requests: int
    period: float


def parse_duration(text: str) -> float:
    """Seconds in `250ms`, `15m`, `1h30m` or `30d`; only `0` needs no unit.

    Raises:
        ValueError: it is not a duration.
    """
    stripped = text.strip()
    if stripped == "0":
        return 0.0
    if not _DURATION.fullmatch(stripped):
        raise ValueError("a duration is numbers with units (ms, s, m, h, d, w), as in 15m or 1h30m")
    units = [unit for _, unit in _DURATION_PART.findall(stripped)]
    if units != [unit for unit in _DURATIONS if unit in units]:
        raise ValueError("a duration names each unit once, the largest first, as in 1h30m")
    parts = _DURATION_PART.findall(stripped)
    return float(sum(Decimal(number) * _DURATIONS[unit] for number, unit in parts) / 1000)


def format_duration(seconds: float) -> str:
    """The shortest exact text for a duration, to the millisecond: `15m`, `1h30m`, `250ms`."""
    rest = round(seconds * 1000)
    text = ""
    for unit, size in _DURATIONS.items():
        if unit == "w":  # read, never written: 28d says more than 4w beside 30d
            continue
        count, rest = divmod(rest, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def parse_size(text: str) -> int:
    """Bytes in `20MB`, `256MiB` or `1000`.

    Raises:
        ValueError: it is not a size, or not a whole number of bytes.
    """
    match = _SIZE.fullmatch(text.strip())
    unit = _SIZES_BY_LOWER.get(match[2].lower() or "b") if match else None
    if match is None or unit is None:
        raise ValueError("a size is a number of bytes, or one with a unit, as in 20MB or 256MiB")
    size = Decimal(match[1]) * unit
    if size != int(size):
        raise ValueError("a size is a whole number of bytes")
    return int(size)


def format_size(size: int) -> str:
    """The shortest exact text for a size: `20MB`, `256MiB`, `1234567B`."""
    texts = [f"{size // value}{unit}" for unit, value in _SIZES.items() if size % value == 0]
    return min(texts, key=len) if size else "0B"


def parse_rate(text: str) -> Rate:
    """The window in `10/s`, `900/15m` or `5/250ms`.

    Raises:
        ValueError: it is not a rate.
    """
    match = _RATE.fullmatch(text.strip())
    if not match and text.strip().isdecimal():
        raise ValueError(f"write {text.strip()[:9]}/s for that many requests a second")
    if not match:
        raise ValueError("a rate is a number of requests in a time, as in 10/s or 900/15m")
    period = match[2].strip()
    return Rate(int(match[1]), parse_duration(f"1{period}" if period in _DURATIONS else period))


def format_rate(rate: Rate) -> str:
    """The text for a rate: `10/s`, `900/15m`."""
    period = format_duration(rate.period)
    alone = period[1:] if period[0] == "1" and period[1:] in _DURATIONS else period
    return f"{rate.requests}/{alone}"
