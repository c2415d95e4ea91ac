"""The figures as a table for a terminal, no wider than 80 columns unless there is room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from batchscan.report.text import NO_SITE
from batchscan.report.wording import amount, money_of, shortened
from batchscan.stats.figures import Counts, Place, Statistics
from batchscan.util.columns import columns
from batchscan.util.escaping import printable

MAX_ROWS = 26  # periods that are shown: half a year of weeks
_COUNTS = ("found", "reviewed", "not_mine", "noticed", "removed")
_PLACES = ("found", "worklist", "noticed", "removed")
_NAME_WIDTH = 34
_DAYS = "days"
_WIDTH = 80  # columns of a terminal


def table(figures: Statistics) -> str:
    """Write the figures down in lines of at most 80 columns."""
    return "\n".join(_lines(figures)) + "\n"


def _lines(figures: Statistics) -> Iterator[str]:
    if not figures.periods:
        yield "Nothing has been found, decided or paid yet."
        return
    yield from _over_time(figures)
    yield ""
    yield from _how_counted(figures)
    for title, places, more in (
        ("Site", figures.sites, figures.more_sites),
        ("Folder", figures.folders, figures.more_folders),
    ):
        if places:
            yield ""
            yield from _by_place(title, places, more)


def _over_time(figures: Statistics) -> Iterator[str]:
    title = "Week from" if figures.by == "week" else "Month"
    names = [name.replace("_", " ") for name in _COUNTS]
    rows = [[title, *names, _DAYS, "credits", *_currency(figures)]]
    hidden = len(figures.periods) - MAX_ROWS
    for period in figures.periods[-MAX_ROWS:]:
        name = period.start if figures.by == "week" else period.label
        rows.append(_row(name, period.counts))
    rows.append(_row("All", figures.total))
    lines = list(_aligned(rows))
    if figures.credit_price and max(map(len, lines)) > _WIDTH:
        lines = list(_aligned([row[:-1] for row in rows]))  # the money is in words below
    yield from lines
    if hidden > 0 or figures.earlier:
        earlier = (
            f"{amount(max(hidden, 0), f'earlier {figures.by}')} "
            if hidden > 0
            else "What is older "
        )
        yield f"{earlier}{'are' if hidden > 1 else 'is'} in the last line; --json has them."


def _row(name: str, counts: Counts) -> list[str]:
    numbers = [getattr(counts, word) for word in _COUNTS]
    money = [] if counts.money is None else [_amount(counts.money) if counts.credits else "-"]
    days = _days(counts.days_to_removal)
    return [name, *map(_number, numbers), days, _number(counts.credits), *money]


def _currency(figures: Statistics) -> list[str]:
    return [figures.credit_price.partition(" ")[2]] if figures.credit_price else []


def _amount(money: str) -> str:
    return money.partition(" ")[0]


def _how_counted(figures: Statistics) -> Iterator[str]:
    yield "Found: first seen in an answer. The others: decisions, when they were made"
    yield "(UTC), without those that were taken back. Days: from noticed to removed,"
    yield "the median."
    if figures.sandbox:
        yield "Made from the sandbox's mock answers."
    if figures.credit_price:
        yield f"A credit costs {figures.credit_price}: {figures.total.money} in all."
    if unanswered := figures.total.unanswered:
        price = figures.credit_price
        money = f" ({money_of(unanswered, price)})" if price else ""
        yield f"{amount(unanswered, 'more upload')} without an answer, perhaps charged{money}."


def _by_place(title: str, places: Sequence[Place], more: int) -> Iterator[str]:
    rows = [[title, "found", "to do", "noticed", "removed", _DAYS]]
    for place in places:
        name = shortened(printable(place.name or NO_SITE), _NAME_WIDTH)
        numbers = [getattr(place, word) for word in _PLACES]
        rows.append([name, *map(_number, numbers), _days(place.days_to_removal)])
    yield from _aligned(rows)
    if more:
        yield f"and {amount(more, f'more {title.lower()}')}"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
    for name, *numbers in rows:
        cells = [f"{cell:>{width}}" for cell, width in zip(numbers, widths[1:], strict=True)]
        padding = " " * (widths[0] - columns(name))
        yield "  ".join([f"{name}{padding}", *cells]).rstrip()


def _number(number: int) -> str:
    return f"{number:,}" if number else "-"


def _days(days: float | None) -> str:
    return "-" if days is None else f"{days:,.1f}"
