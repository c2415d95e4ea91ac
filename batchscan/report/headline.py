"""The first line of a report: how many copies, of how many pictures, on how many sites."""

from __future__ import annotations

from batchscan.report.schema import Report
from batchscan.report.wording import amount
from batchscan.report_sections import Matches


def headline(report: Report) -> str:
    """One line: "18 copies of 14 pictures on 7 sites, 4 of them full; 2 new since last time"."""
    found = report.matches
    if not found.total:
        return _nothing(report)
    copies = "1 copy" if found.total == 1 else f"{found.total:,} copies"
    pictures = amount(found.images_with_matches, "picture")
    where = f" on {amount(len(report.domains), 'site')}" if report.domains else ""
    return f"{copies} of {pictures}{where}, {_full(found)}{_news(found)}"


def _nothing(report: Report) -> str:
    files = report.files
    if not files.seen:
        return "No pictures were found"
    checked = files.seen if files.checked is None else files.checked
    if not checked:
        return f"Nothing is known yet of {amount(files.seen, 'picture')}"
    if checked == files.seen:
        return f"No copies found of {amount(files.seen, 'picture')}"
    return f"No copies found of the {amount(checked, 'picture')} checked so far"


def _full(found: Matches) -> str:
    if found.full == found.total:
        return "full" if found.total == 1 else "all of them full"
    if found.total == 1:
        return "a partial one" if found.partial else "of another kind"
    return f"{found.full:,} of them full" if found.full else "none of them full"


def _news(found: Matches) -> str:
    if found.new is None:
        return ""
    returned = found.returned or 0
    if found.new == found.total:
        return "; new" if found.total == 1 else "; all of them new"
    words = [f"{found.new:,} new"] if found.new else []
    words += [f"{returned:,} returned"] if returned else []
    return f"; {', '.join(words) or 'nothing new'} since last time"
