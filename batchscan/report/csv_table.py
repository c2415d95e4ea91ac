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
from itertools import chain, islice

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
    "decided_at",  # when somebody made its disposition what it is
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
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9:/._~?&%#=+@!$;-]{0,2000}")


def render(report: Report, pictures: Iterable[PictureMatches]) -> Iterator[bytes]:  # noqa: ARG001 - one shape for all formats
    """Render the table, many rows at once."""
    yield BYTE_ORDER_MARK
    rows = chain([f"{_joined(COLUMNS)}\r\n"], chain.from_iterable(map(_rows, pictures)))
    while some := "".join(islice(rows, _ROWS_AT_ONCE)):
        yield some.encode()


def _rows(picture: PictureMatches) -> Iterator[str]:
    ours = _joined(_picture_cells(picture))
    about = _joined(_provenance_cells(picture))
    for match in picture.matches:
        site = f"{ours},{_site(match.domain)},{_address(match.url)},{match.kind}"
        times = _history(match.state, match.disposition, match.first_seen, match.last_seen)
        if match.recheck is None and match.url not in picture.decisions:  # as nearly always
            rest = f"{times},{about},{_NOTHING_SINCE},,\r\n"
            for page in match.pages or ("",):
                yield f"{site},{_address(page)},{rest}"
            continue
        since = _since(picture, match)
        for page in match.pages or ("",):
            answered = _joined(_page_cells(match, page))
            yield f"{site},{_address(page)},{times},{about},{since},{answered}\r\n"


def _address(url: str) -> str:
    return url if _PLAIN.fullmatch(url) else _quoted(spreadsheet_cell(url))


@lru_cache(_REMEMBERED)
def _site(domain: str) -> str:
    return _quoted(spreadsheet_cell(domain))


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


def _decision_cells(picture: PictureMatches, match: TrackedMatch) -> tuple[str, ...]:
    decided = in_force(decision_fields(picture.decisions.get(match.url, ())), match.disposition)
    if decided is None:
        return ("", "", "")
    return (decided.at, spreadsheet_cell(decided.who), spreadsheet_cell(decided.note or ""))


def _reason_cells(match: TrackedMatch) -> tuple[str, ...]:
    """The cells about the reason of the recheck's verdict."""
    found = match.recheck
    if found is None:
        return ("", "", "")
    detail = spreadsheet_cell(found.detail or "")
    return (_status(found.http_status), detail, _time(found.gone_since))


def _page_cells(match: TrackedMatch, page: str) -> tuple[str, ...]:
    """The cells about the last recheck of the page."""
    asked = match.recheck.pages if match.recheck is not None else ()
    for each in asked:
        if each.url == page:
            return (each.verdict, _status(each.http_status))
    return ("", "")


def _status(http_status: int | None) -> str:
    return "" if http_status is None else str(http_status)


def _provenance_cells(picture: PictureMatches) -> tuple[str, ...]:
    provenance = picture.provenance or Provenance()
    words = (provenance.creator, provenance.copyright, provenance.credit, provenance.created)
    return (rfc3339(picture.scanned_at), *map(spreadsheet_cell, words))


def _time(seconds: float | None) -> str:
    return "" if seconds is None else rfc3339(seconds)
