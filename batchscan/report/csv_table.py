"""`matches.csv`: a row for each match and page, for spreadsheets and for whoever sorts sites.

UTF-8 with a byte order mark, commas, CRLF and the quotes of RFC 4180, as Excel wants it; times are
RFC 3339 in UTC. A match without a page has one row, whose page is empty. No cell is taken for a
formula or is longer than a spreadsheet's cell may be; the whole value is in `results.jsonl`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from batchscan.model import Match, Provenance
from batchscan.report.decisions import decision_fields, in_force
from batchscan.report.schema import Report
from batchscan.report_sections import PictureMatches
from batchscan.util.escaping import BYTE_ORDER_MARK, path_fields, spreadsheet_cell
from batchscan.util.timestamps import rfc3339

COLUMNS = (
    "path",
    "path_b64",  # the name's bytes, where they are no UTF-8
    "sha256",
    "bytes",
    "format",
    "width",
    "height",
    "domain",
    "url",
    "kind",
    "page",
    "state",
    "disposition",
    "first_seen",
    "last_seen",
    "scanned_at",
    "creator",
    "copyright",
    "credit",
    "created",
    "recheck",
    "rechecked_at",
    "likeness",  # to their picture as first fetched, 0 to 1
    "our_likeness",  # to ours
    "decided_at",  # when somebody made its disposition what it is
    "decided_by",
    "note",
    "recheck_http_status",
    "recheck_detail",
    "gone_since",
    "page_recheck",
    "page_http_status",
)


def render(report: Report, pictures: Iterable[PictureMatches]) -> Iterator[bytes]:  # noqa: ARG001 - one shape for all formats
    """Write the table, picture by picture."""
    line = io.StringIO()
    writer = csv.writer(line)
    yield BYTE_ORDER_MARK
    for row in _rows(pictures):
        writer.writerow(row)
        yield line.getvalue().encode()
        line.seek(0)
        line.truncate()


def _rows(pictures: Iterable[PictureMatches]) -> Iterator[tuple[str, ...]]:
    yield COLUMNS
    for picture in pictures:
        ours = _picture_cells(picture)
        about = _provenance_cells(picture)
        for match in picture.matches:
            address = (
                spreadsheet_cell(match.domain),
                spreadsheet_cell(match.url),
                match.kind.value,
            )
            history, checked = _history_cells(match), _recheck_cells(match)
            decided, why = _decision_cells(picture, match), _reason_cells(match)
            for page in match.pages or ("",):
                row = (*ours, *address, spreadsheet_cell(page), *history, *about, *checked)
                yield (*row, *decided, *why, *_page_cells(match, page))


def _picture_cells(picture: PictureMatches) -> tuple[str, ...]:
    path, path_b64 = path_fields(picture.path)
    size = (str(picture.size), picture.format, str(picture.width), str(picture.height))
    return (spreadsheet_cell(path), spreadsheet_cell(path_b64), picture.sha256, *size)


def _history_cells(match: Match) -> tuple[str, ...]:
    return (
        match.state or "",
        match.disposition or "",
        _time(match.first_seen),
        _time(match.last_seen),
    )


def _recheck_cells(match: Match) -> tuple[str, ...]:
    found = match.recheck
    if found is None:
        return ("", "", "", "")
    shares = (found.likeness, found.our_likeness)
    overruled = " (overruled)" if found.overruled_at is not None else ""
    return (
        f"{found.verdict}{overruled}",
        rfc3339(found.checked_at),
        *("" if share is None else f"{share:.2f}" for share in shares),
    )


def _decision_cells(picture: PictureMatches, match: Match) -> tuple[str, ...]:
    decided = in_force(decision_fields(picture.decisions.get(match.url, ())), match.disposition)
    if decided is None:
        return ("", "", "")
    return (decided.at, spreadsheet_cell(decided.who), spreadsheet_cell(decided.note or ""))


def _reason_cells(match: Match) -> tuple[str, ...]:
    """Why the recheck's verdict is what it is."""
    found = match.recheck
    if found is None:
        return ("", "", "")
    detail = spreadsheet_cell(found.detail or "")
    return (_status(found.http_status), detail, _time(found.gone_since))


def _page_cells(match: Match, page: str) -> tuple[str, ...]:
    """What the page answered when it was asked last."""
    asked = match.recheck.pages if match.recheck is not None else ()
    for each in asked:
        if each.url == page:
            return (each.verdict, _status(each.http_status))
    return ("", "")


def _status(http_status: int | None) -> str:
    return "" if http_status is None else str(http_status)


def _provenance_cells(picture: PictureMatches) -> tuple[str, ...]:
    said = picture.provenance or Provenance()
    words = (said.creator, said.copyright, said.credit, said.created)
    return (rfc3339(picture.scanned_at), *map(spreadsheet_cell, words))


def _time(seconds: float | None) -> str:
    return "" if seconds is None else rfc3339(seconds)
