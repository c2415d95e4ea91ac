"""A short summary in Markdown, for a ticket or a job summary on GitHub.

What was not scanned comes first. Untrusted strings are shown as code, in which links, mentions and
HTML are not interpreted. The last table has all figures by their dotted paths in `report.json`.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from os import fsdecode
from typing import TypeVar

from batchscan.enums import MatchState
from batchscan.model import TrackedMatch
from batchscan.report.coverage import coverage, losses
from batchscan.report.rechecks import counted
from batchscan.report.schema import Report, figures
from batchscan.report.text import (
    NO_SITE,
    alerts,
    converted,
    dry_run,
    kinds,
    money,
)
from batchscan.report.unchecked_names import by_reason, rest
from batchscan.report.wording import amount, shortened
from batchscan.report_sections import Domain, MatchedPicture, Matches, PictureMatches
from batchscan.util.escaping import markdown_code, printable

UNCHECKED_EACH = 5  # files that are named of each reason why they have no answer
TOP = 20  # rows of each table of findings
_WIDTH = 120  # characters of a name or URL
_SENTENCE_WIDTH = 1_000  # of what happened and what to do
_COUNTS = ("To do", "Full", "Partial", "New", "Allowed")
_NUMBERS = (*_COUNTS, "Pictures", "Number")  # columns that are aligned on the right
_FRESH = (MatchState.NEW, MatchState.RETURNED)
_Row = TypeVar("_Row", Domain, MatchedPicture)


def render(report: Report, pictures: Iterable[PictureMatches]) -> Iterator[bytes]:
    """Render the summary; `pictures` are read only until all new matches are found."""
    for line in _lines(report, pictures):
        yield f"{line}\n".encode()


def _lines(report: Report, pictures: Iterable[PictureMatches]) -> Iterator[str]:
    yield f"# Copies on the web: run {markdown_code(report.run.id)}"
    covered = map(_ended, (*coverage(report), *converted(report)))
    for sentences in (covered, losses(report, _name), dry_run(report), _ending(report)):
        yield from _paragraph(sentences)
    yield from _paragraph(money(report))
    yield from _paragraph(alerts(report, _name))
    yield from _paragraph(_matches(report))
    yield from _unchecked(report)
    yield from _sites(report)
    yield from _new(report, pictures)
    yield from _pictures(report)
    yield from _rules(report)
    yield from _figures(report)


def _paragraph(sentences: Iterable[str]) -> Iterator[str]:
    paragraph = " ".join(sentence.strip() for sentence in sentences)
    if paragraph:
        yield from ("", paragraph)


def _ended(sentence: str) -> str:
    """A line of the terminal's report as a sentence of a paragraph."""
    return sentence if sentence.endswith(".") else f"{sentence}."


def _ending(report: Report) -> Iterator[str]:
    run = report.run
    if run.message:
        yield f"**{'Ended early' if run.partial else 'Note'}:** {_sentence(run.message)}"
    if run.advice:
        yield f"What to do: {_sentence(run.advice)}"


def _matches(report: Report) -> Iterator[str]:
    if report.run.sandbox:
        yield "**Sandbox:** mock answers of the vendor, which say nothing about the pictures."
    totals = report.matches
    if totals.images_with_matches or totals.gone:
        pictures = amount(totals.images_with_matches, "picture")
        have = "has" if totals.images_with_matches == 1 else "have"
        yield f"Matches: {pictures} {have} {kinds(totals)}."
        counts = ((name, getattr(totals, name)) for name in ("new", "returned", "gone", "allowed"))
        yield f"{', '.join(f'{number:,} {name}' for name, number in counts if number is not None)}."
        if totals.worklist is not None:
            yield f"**To do: {amount(totals.worklist, 'match')}.**"
        if report.rechecks is not None:
            yield f"At the last recheck: {', '.join(counted(report.rechecks))}."
    elif report.files.seen and not report.run.dry_run:
        yield "Matches: none in the answers so far."


def _unchecked(report: Report) -> Iterator[str]:
    groups = by_reason(report, UNCHECKED_EACH)
    rows = [
        (group.words.partition(" ")[2], _name(file.path), _sentence(file.detail or ""))
        for group in groups
        for file in group.files
    ]
    yield from _table("Not checked", ("Why", "Picture", "Detail"), rows)
    if rows:
        more = " ".join(rest(report, sum(group.more for group in groups)))
        yield from _paragraph([f"And {more}." if more else ""])


def _sites(report: Report) -> Iterator[str]:
    rows = [
        (_name(site.domain or NO_SITE), *_counts(site), _number(site.images))
        for site in _worst(report.domains)
    ]
    title = _title("Worst sites", len(rows), len(report.domains))
    yield from _table(title, ("Site", *_COUNTS, "Pictures"), rows)


def _pictures(report: Report) -> Iterator[str]:
    rows = [(_name(image.path), *_counts(image)) for image in _worst(report.images)]
    title = _title("Worst pictures", len(rows), report.matches.images_with_matches)
    yield from _table(title, ("Picture", *_COUNTS), rows)


def _worst(rows: Iterable[_Row]) -> list[_Row]:
    """The ones with the most open matches; ties keep the report's order."""
    return heapq.nlargest(TOP, rows, key=lambda one: (one.worklist or 0, one.full, one.partial))


def _counts(row: Domain | MatchedPicture) -> tuple[str, ...]:
    numbers = (row.worklist, row.full, row.partial, row.new, row.allowed)
    return tuple(map(_number, numbers))


def _new(report: Report, pictures: Iterable[PictureMatches]) -> Iterator[str]:
    rows = [
        (
            _name(fsdecode(picture.path)),
            f"{match.state} {match.kind}",
            _name(match.url),
            _pages(match),
        )
        for picture, match in islice(_fresh(report.matches, pictures), TOP)
    ]
    title = f"New matches to act on{f' (the first {TOP})' if len(rows) == TOP else ''}"
    yield from _table(title, ("Picture", "Match", "URL", "Page"), rows)


def _fresh(
    totals: Matches, pictures: Iterable[PictureMatches]
) -> Iterator[tuple[PictureMatches, TrackedMatch]]:
    """New and returned matches that need action, until all that the report counts are found."""
    left = (totals.new or 0) + (totals.returned or 0)
    everything = ((picture, match) for picture in pictures for match in picture.matches)
    while left > 0 and (pair := next(everything, None)):
        if pair[1].state in _FRESH:
            left -= 1
            if pair[1].needs_action:
                yield pair


def _pages(match: TrackedMatch) -> str:
    rest = len(match.pages) - 1
    first = _name(match.pages[0]) if match.pages else ""
    return f"{first} and {rest:,} more" if rest > 0 else first


def _rules(report: Report) -> Iterator[str]:
    rows = [
        (_name(rule.what), _name(rule.reason), rule.until or "", _name(rule.by) if rule.by else "")
        for rule in report.allow_rules
        if rule.expired
    ]
    title = "Expired allow rules"
    yield from _table(title, ("Rule", "Reason", "Until", "By"), rows)


def _figures(report: Report) -> Iterator[str]:
    rows = [(f"`{name}`", _number(number)) for name, number in figures(report).items()]
    yield from _table("All figures", ("Figure", "Number"), rows)


def _table(title: str, columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    if rows:
        yield from ("", f"## {title}", "")
        yield f"| {' | '.join(columns)} |"
        yield f"| {' | '.join('--:' if name in _NUMBERS else '---' for name in columns)} |"
        yield from (f"| {' | '.join(row)} |" for row in rows)


def _title(what: str, shown: int, number: int) -> str:
    return f"{what} ({shown} of {number:,})" if shown < number else what


def _number(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _name(text: str) -> str:
    return markdown_code(shortened(printable(text), _WIDTH))


def _sentence(text: str) -> str:
    return markdown_code(shortened(printable(text), _SENTENCE_WIDTH))
