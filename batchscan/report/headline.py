"""The first line of a report: how many copies, of how many pictures, on how many sites."""

from __future__ import annotations

from batchscan.report.coverage import nothing_seen
from batchscan.report.schema import Report
from batchscan.report.wording import amount
from batchscan.report_sections import Matches


def headline(report: Report) -> str:
    """One line: "18 copies of 14 pictures on 7 sites, 4 of them full; 2 new since last time"."""
    matches = report.matches
    if not matches.total:
        return _nothing(report)
    copies = "1 copy" if matches.total == 1 else f"{matches.total:,} copies"
    pictures = amount(matches.images_with_matches, "picture")
    where = f" on {amount(len(report.domains), 'site')}" if report.domains else ""
    return f"{copies} of {pictures}{where}, {_full(matches)}{_news(matches)}"


def _nothing(report: Report) -> str:
    files = report.files
    if not files.seen:
        return nothing_seen(report)
    checked = files.seen if files.checked is None else files.checked
    if not checked:
        return f"Nothing is known yet of {amount(files.seen, 'picture')}"
    if checked == files.seen:
        return f"No copies found of {amount(files.seen, 'picture')}"
    return f"No copies found of the {amount(checked, 'picture')} checked so far"


def _full(matches: Matches) -> str:
    if matches.full == matches.total:
        return "full" if matches.total == 1 else "all of them full"
    if matches.total == 1:
        return "a partial one" if matches.partial else "of another kind"
    return f"{matches.full:,} of them full" if matches.full else "none of them full"


def _news(matches: Matches) -> str:
    if matches.new is None:
        return ""
    returned = matches.returned or 0
    if matches.new == matches.total:
        return "; new" if matches.total == 1 else "; all of them new"
    words = [f"{matches.new:,} new"] if matches.new else []
    words += [f"{returned:,} returned"] if returned else []
    return f"; {', '.join(words) or 'nothing new'} since last time"
