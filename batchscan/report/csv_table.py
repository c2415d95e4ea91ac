"""`matches.csv`: a row for each match and page, for spreadsheets.

UTF-8 with a byte order mark, commas, CRLF and the quotes of RFC 4180, as Excel expects; times are
RFC 3339 in UTC. A match without a page has one row with an empty page. Cells are protected from
being taken for formulas, and cut to the length of a spreadsheet's cell; the complete values are in
`results.jsonl`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby, islice

from batchscan.model import Provenance, TrackedMatch
from batchscan.report.decisions import decision_fields, in_force
from batchscan.report.schema import Report
from batchscan.report_sections import PictureMatches
from batchscan.util.escaping import BYTE_ORDER_MARK, path_fields, spreadsheet_cell
from batchscan.util.timestamps import rfc3339

COLUMNS = (
    "path",
    "path_b64",  # the name's bytes, where they are not UTF-8
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
    "decided_at",  # when a user decided its disposition
    "decided_by",
    "note",
    "recheck_http_status",
    "recheck_detail",
    "gone_since",
    "page_recheck",
    "page_http_status",
)
_NOTHING_SINCE = "," * 9  # between ten empty cells
_ROWS_AT_ONCE = 500
_REMEMBERED = 10_000
# Nearly all addresses need no escaping: no formula, no commas and quotes.
_ADDRESS = "(?:[A-Za-z0-9][A-Za-z0-9:/._~?&%#=+@!$;-]{0,2000})?"
_PLAIN = re.compile(f"{_ADDRESS},{_ADDRESS},[a-z]+,{_ADDRESS}")


def render(report: Report, pictures: Iterable[PictureMatches]) -> Iterator[bytes]:  # noqa: ARG001 - one shape for all formats
    """Render the table, many rows at once."""
    yield BYTE_ORDER_MARK
    yield f"{_joined(COLUMNS)}\r\n".encode()
    for picture in pictures:
        for rows in _rows(picture):
            yield rows.encode()


def _rows(picture: PictureMatches) -> Iterator[str]:
    """The rows of a picture; those of neighbours with the same history are made at once."""
    decisions = picture.decisions
    ours = _joined(_picture_cells(picture))
    about = _joined(_provenance_cells(picture))

    def history(match: TrackedMatch) -> tuple[str, str, float, float, bool]:
        more = match.recheck is not None or match.url in decisions  # hardly ever
        return match.state, match.disposition, match.first_seen, match.last_seen, more

    for (*since, more), matches in groupby(picture.matches, history):
        times = f"{_history(*since)},{about}"
        if more:
            yield from (_row_with_more(picture, match, ours, times) for match in matches)
            continue
        before, after = f"{ours},", f",{times},{_NOTHING_SINCE},,\r\n"
        while some := list(islice(matches, _ROWS_AT_ONCE)):
            yield before + f"{after}{before}".join(_found(some)) + after


def _row_with_more(picture: PictureMatches, match: TrackedMatch, ours: str, times: str) -> str:
    """The rows of a match that was rechecked or decided."""
    since = _since(picture, match)
    ends = (_joined(_page_cells(match, page)) for page in match.pages or ("",))
    rows = zip(_found([match]), ends, strict=True)
    return "".join(f"{ours},{match_cells},{times},{since},{end}\r\n" for match_cells, end in rows)


def _found(matches: Iterable[TrackedMatch]) -> Iterator[str]:
    """The cells of domain, URL, kind and page, for each match and page."""
    for match in matches:
        for page in match.pages or ("",):
            cells = (match.domain, match.url, match.kind, page)
            joined = ",".join(cells)
            yield joined if _PLAIN.fullmatch(joined) else _joined(map(spreadsheet_cell, cells))


def _joined(cells: Iterable[str]) -> str:
    return ",".join(map(_quoted, cells))


def _quoted(cell: str) -> str:
    """A quoted cell without line breaks."""
    return '"' + cell.replace('"', '""') + '"' if '"' in cell or "," in cell else cell


def _picture_cells(picture: PictureMatches) -> tuple[str, ...]:
    path, path_b64 = path_fields(picture.path)
    size = (str(picture.size), picture.format, str(picture.width), str(picture.height))
    return (spreadsheet_cell(path), spreadsheet_cell(path_b64), picture.sha256, *size)


@lru_cache(_REMEMBERED)
def _history(state: str, disposition: str, first_seen: float, last_seen: float) -> str:
    return _joined((state, disposition, rfc3339(first_seen), rfc3339(last_seen)))


def _since(picture: PictureMatches, match: TrackedMatch) -> str:
    """The cells about the last recheck and decision."""
    decided = _decision_cells(picture, match)
    return _joined((*_recheck_cells(match), *decided, *_reason_cells(match)))


def _recheck_cells(match: TrackedMatch) -> tuple[str, ...]:
    recheck = match.recheck
    if recheck is None:
        return ("", "", "", "")
    shares = (recheck.likeness, recheck.our_likeness)
    overruled = " (overruled)" if recheck.overruled_at is not None else ""
    return (
        f"{recheck.verdict}{overruled}",
        rfc3339(recheck.checked_at),
        *("" if share is None else f"{share:.2f}" for share in shares),
    )


def _decision_cells(picture: PictureMatches, match: TrackedMatch) -> tuple[str, ...]:
    decided = in_force(decision_fields(picture.decisions.get(match.url, ())), match.disposition)
    if decided is None:
        return ("", "", "")
    return (decided.at, spreadsheet_cell(decided.who), spreadsheet_cell(decided.note or ""))


def _reason_cells(match: TrackedMatch) -> tuple[str, ...]:
    """The cells about the reason of the recheck's verdict."""
    recheck = match.recheck
    if recheck is None:
        return ("", "", "")
    detail = spreadsheet_cell(recheck.detail or "")
    return (_status(recheck.http_status), detail, _time(recheck.gone_since))


def _page_cells(match: TrackedMatch, page: str) -> tuple[str, ...]:
    """The cells about the last recheck of the page."""
    asked = match.recheck.pages if match.recheck is not None else ()
    for address in asked:
        if address.url == page:
            return (address.verdict, _status(address.http_status))
    return ("", "")


def _status(http_status: int | None) -> str:
    return "" if http_status is None else str(http_status)


def _provenance_cells(picture: PictureMatches) -> tuple[str, ...]:
    provenance = picture.provenance or Provenance()
    words = (provenance.creator, provenance.copyright, provenance.credit, provenance.created)
    return (rfc3339(picture.scanned_at), *map(spreadsheet_cell, words))


def _time(seconds: float | None) -> str:
    return "" if seconds is None else rfc3339(seconds)
