"""A line of a picture that was answered, and what its answer says, which is kept apart from it."""

from __future__ import annotations

import msgspec

from batchscan.engines.vendor_mapping import given_up, parse_answer, unread_answer
from batchscan.enums import FailReason, Status
from batchscan.ledger import StoredAnswer
from batchscan.model import (
    Answer,
)
from batchscan.results import (
    ResultLine,
    match_fields,
    score_fields,
    warnings_of,
)
from batchscan.util.escaping import replace_surrogates
from batchscan.util.timestamps import rfc3339

_AT_NO_COST = (Status.REUSED, Status.COVERED)


def with_answer(line: ResultLine, answer: Answer) -> ResultLine:
    """Give a line the matches of its answer, where they were kept apart from it."""
    return msgspec.structs.replace(line, matches=match_fields(answer))


def with_problem(line: ResultLine, answer: Answer) -> ResultLine:
    """Give a line of a picture that was answered what its answer says, but for the matches."""
    failed = answer.trouble is not None
    return msgspec.structs.replace(
        line,
        status=Status.FAILED if failed else line.status,
        reason=FailReason.BAD_RESPONSE if failed else None,
        detail=unreadable_detail(answer) if failed else None,
        warnings=warnings_of(line.warnings, answer),
        credits=line.credits if line.status in _AT_NO_COST else answer.credits,
        scanned_at=rfc3339(answer.received_at),
        score=score_fields(answer),
    )


def unreadable_detail(answer: Answer) -> str:
    """Why the matches of a kept answer are not known, or not all of them."""
    return replace_surrogates(
        f"answered, but {answer.trouble}; the answer is kept, and is not paid for again"
    )


def without_answer(line: ResultLine) -> bytes:
    """The line as the ledger keeps it: the matches are in the answer's body already."""
    return msgspec.json.encode(msgspec.structs.replace(line, matches=[]))


def read_again(stored: StoredAnswer, *, sandbox: bool) -> Answer:
    """What a kept answer says; where reading it fails, that is its trouble."""
    if stored.given_up:
        return given_up(stored.body, stored.received_at, stored.credits)
    try:
        return parse_answer(stored.body, stored.received_at, stored.scan_id, sandbox=sandbox)
    except Exception as error:  # noqa: BLE001 - it is paid for, and kept
        return unread_answer(stored.body, stored.received_at, error)
