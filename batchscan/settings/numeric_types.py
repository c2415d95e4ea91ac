"""Setting types for numbers: counts, sizes, durations, fractions and rates."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from batchscan.settings import units
from batchscan.settings.types import SettingType, text_only
from batchscan.settings.units import Rate

MAX_WINDOWS = 8
_MOST = 10**18  # of what has no limit: the ledger keeps numbers of 64 bits
_WHOLE = re.compile(r"(?:0|[1-9][0-9]{0,399})(?:_[0-9]{3}){0,99}")  # 010 is eight to YAML: refused
_PRICE = re.compile(r"(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,6})? (?:[A-Z]{3}|[€$£¥])")
_MAX_WINDOW = 31 * 86_400.0


@dataclass(frozen=True)
class IntType(SettingType):
    """A whole number."""

    least: int
    most: int | None = None

    @property
    def allowed(self) -> str:
        """The range."""
        if self.most is None:
            return f"a whole number, at least {self.least}"
        return f"a whole number from {self.least} to {self.most}"

    def read(self, raw: object) -> object:
        """Read digits, also as `1_000`."""
        return int(raw) if isinstance(raw, str) and _WHOLE.fullmatch(raw.strip()) else raw

    def check(self, value: object) -> None:
        """Reject values that are not whole numbers, or outside the range."""
        if not isinstance(value, int):
            raise ValueError  # noqa: TRY004 - a mistake in settings is a ValueError, of any type
        if self.most is None and value > _MOST:
            raise ValueError(f"at most {_MOST}")
        _within(value, self.least, _MOST if self.most is None else self.most)


@dataclass(frozen=True)
class SizeType(SettingType):
    """A number of bytes."""

    least: int
    most: int

    @property
    def allowed(self) -> str:
        """The range."""
        least, most = units.format_size(self.least), units.format_size(self.most)
        return f"a size such as 20MB, from {least} to {most}"

    def read(self, raw: object) -> object:
        """Read `20MB`, `256MiB` or a bare number of bytes."""
        return units.parse_size(raw) if isinstance(raw, str) else raw

    def check(self, value: object) -> None:
        """Reject values outside the range."""
        IntType(self.least, self.most).check(value)

    def show(self, value: object) -> str:
        """The shortest exact text."""
        return units.format_size(value) if isinstance(value, int) else str(value)


@dataclass(frozen=True)
class DurationType(SettingType):
    """A time in seconds."""

    least: float
    most: float

    @property
    def allowed(self) -> str:
        """The range."""
        least, most = units.format_duration(self.least), units.format_duration(self.most)
        return f"a duration such as 250ms, 15m or 30d, from {least} to {most}"

    def read(self, raw: object) -> object:
        """Read `15m`; a number without a unit is rejected."""
        return units.parse_duration(str(raw))

    def check(self, value: object) -> None:
        """Reject values outside the range."""
        _within(value, self.least, self.most)

    def show(self, value: object) -> str:
        """The shortest exact text."""
        return units.format_duration(value) if isinstance(value, int | float) else str(value)


@dataclass(frozen=True)
class FractionType(SettingType):
    """A fraction, such as 0.02."""

    least: float
    most: float

    @property
    def allowed(self) -> str:
        """The range."""
        return f"a number from {self.least:g} to {self.most:g}"

    def read(self, raw: object) -> object:
        """Read a decimal number."""
        try:
            return float(raw) if isinstance(raw, str) else raw
        except ValueError:
            raise ValueError from None  # Python's own words are not for users

    def check(self, value: object) -> None:
        """Reject values outside the range."""
        _within(value, self.least, self.most)


@dataclass(frozen=True)
class RatesType(SettingType):
    """Rate windows, which all apply at once."""

    @property
    def allowed(self) -> str:
        """The form of a rate."""
        return f"1 to {MAX_WINDOWS} rates such as 10/s or 900/15m, in at most 31d"

    def read(self, raw: object) -> object:
        """Read a list of rates, or a single one."""
        items = raw if isinstance(raw, list | tuple) else (raw,)
        return tuple(units.parse_rate(_rate_text(item)) for item in items)

    def check(self, value: object) -> None:
        """Reject an empty list, too many windows, and values out of range."""
        if not isinstance(value, tuple) or not 1 <= len(value) <= MAX_WINDOWS:
            raise ValueError
        for rate in value:
            if not isinstance(rate, Rate):
                raise ValueError  # noqa: TRY004 - as above
            IntType(1, 1_000_000).check(rate.requests)
            _within(rate.period, 0.001, _MAX_WINDOW)

    def show(self, value: object) -> str:
        """The list."""
        rates = value if isinstance(value, tuple) else ()
        return f"[{', '.join(units.format_rate(rate) for rate in rates)}]"


@dataclass(frozen=True)
class PriceType(SettingType):
    """An amount of money with its currency."""

    allowed: str = "an amount with its currency, such as 0.01 EUR"

    def read(self, raw: object) -> object:
        """Normalize the text to one space."""
        return " ".join(raw.split()) if isinstance(raw, str) else raw

    def check(self, value: object) -> None:
        """Reject text that is not an amount with a currency."""
        if not isinstance(value, str) or not _PRICE.fullmatch(value):
            raise ValueError


def _rate_text(item: object) -> str:
    """The text of a rate; numbers, which YAML reads from a bare 10, get a precise error."""
    return str(item) if type(item) is int else text_only(item)


def _within(value: object, least: float, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise ValueError
    if not least <= value <= most:
        raise ValueError
