"""Lines of answered pictures: the ledger stores a line without its matches, beside the answer."""

from __future__ import annotations

import msgspec

from batchscan.engines.vendor_mapping import given_up, parse_answer, unread_answer
from batchscan.enums import FailReason, Status
from batchscan.ledger import StoredAnswer
from batchscan.model import (
    Answer,
)
from batchscan.result_fields import match_fields, score_fields
from batchscan.results import ResultLine, warnings_of
from batchscan.util.escaping import replace_surrogates
from batchscan.util.timestamps import rfc3339

_AT_NO_COST = (Status.REUSED, Status.COVERED)


def with_answer(line: ResultLine, answer: Answer) -> ResultLine:
    """Add the matches of an answer to a line that was stored without them."""
    return msgspec.structs.replace(line, matches=match_fields(answer))


def with_problem(line: ResultLine, answer: Answer) -> ResultLine:
    """Add everything but the matches of an answer to a line."""
    failed = answer.trouble is not None
    status = _status_when_read(line)
    return msgspec.structs.replace(
        line,
        status=Status.FAILED if failed else status,
        reason=FailReason.BAD_RESPONSE if failed else None,
        detail=unreadable_detail(answer) if failed else None,
        warnings=warnings_of(line.warnings, answer),
        credits=line.credits if status in _AT_NO_COST else answer.credits,
        scanned_at=rfc3339(answer.received_at),
        score=score_fields(answer),
    )


def _status_when_read(line: ResultLine) -> Status:
    """The status of a line whose answer can be read, also if it could not be read before."""
    if line.status is not Status.FAILED:
        return line.status
    if line.attempts:
        return Status.SCANNED
    return Status.REUSED if line.covered_by is None else Status.COVERED


def unreadable_detail(answer: Answer) -> str:
    """Why some or all matches of a stored answer are not known."""
    return replace_surrogates(
        f"answered, but {answer.trouble}; the answer is kept, and is not paid for again"
    )


def without_answer(line: ResultLine) -> bytes:
    """A line without matches, as JSON for the ledger."""
    return msgspec.json.encode(msgspec.structs.replace(line, matches=[]))


def read_again(stored: StoredAnswer, *, sandbox: bool) -> Answer:
    """Parse a stored answer; an error while parsing becomes its `trouble`."""
    if stored.given_up:
        return given_up(stored.body, stored.received_at, stored.credits)
    try:
        return parse_answer(stored.body, stored.received_at, stored.scan_id, sandbox=sandbox)
    except Exception as error:  # noqa: BLE001 - the answer is paid for; a later version may read it
        return unread_answer(stored.body, stored.received_at, error)
