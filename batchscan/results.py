"""The lines of `results.jsonl`: one for each picture that a run decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Literal, TypeAlias

import msgspec

from batchscan.enums import Status
from batchscan.model import (
    Answer,
    Covered,
    Failed,
    Outcome,
    Reused,
    Scanned,
)
from batchscan.result_fields import (
    CoveredByFields,
    ErrorFields,
    MatchFields,
    ScoreFields,
    SentFields,
    covered_by_fields,
    error_fields,
    fields_of,
    match_fields,
    score_fields,
    sent_fields,
)
from batchscan.util.escaping import escape_json, path_fields, replace_surrogates
from batchscan.util.timestamps import rfc3339

SCHEMA: Literal[1] = 1
MANY_MATCHES = 1_000  # of one answer: its line is written in pieces of so many
_NO_MATCHES = b'"matches":[]'  # as a line has it: within a string its quotes would be escaped


class ResultLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line; unknown values are null, never missing."""

    schema: Literal[1] = SCHEMA
    run_id: str
    path: str
    path_b64: str | None
    status: Status
    reason: str | None
    detail: str | None
    warnings: list[str]
    bytes: int | None
    sha256: str | None
    format: str | None
    width: int | None
    height: int | None
    scan_id: str | None
    generation: int | None
    credits: int | None
    attempts: int
    sandbox: bool
    started_at: str
    finished_at: str
    elapsed_ms: int
    scanned_at: str | None
    error: ErrorFields | None
    score: ScoreFields | None
    matches: list[MatchFields]
    sent: SentFields | None = None  # null if the file itself was sent, or nothing
    covered_by: CoveredByFields | None = None  # null if it was asked about itself, or never


_ENCODER = msgspec.json.Encoder()


def line_of(outcome: Outcome, run_id: str, *, sandbox: bool) -> ResultLine:
    """The line of one outcome."""
    line = bare_line_of(outcome, run_id, sandbox=sandbox)
    answer = answer_of(outcome)
    return msgspec.structs.replace(line, matches=match_fields(answer)) if answer else line


def bare_line_of(outcome: Outcome, run_id: str, *, sandbox: bool) -> ResultLine:
    """The same without the matches, which may be very many."""
    subject, effort = outcome.subject, outcome.effort
    path, path_b64 = path_fields(subject.path)
    return ResultLine(
        run_id=run_id,
        path=path,
        path_b64=path_b64,
        status=outcome.status,
        warnings=warnings_of(subject.warnings, answer_of(outcome)),
        bytes=subject.bytes,
        sha256=subject.sha256,
        format=subject.format,
        width=subject.width,
        height=subject.height,
        scan_id=effort.scan_id,
        generation=effort.generation,
        credits=_credits(outcome),
        attempts=effort.attempts,
        sandbox=sandbox,
        started_at=rfc3339(effort.started_at),
        finished_at=rfc3339(effort.finished_at),
        elapsed_ms=effort.elapsed_ms,
        sent=sent_fields(subject.sent),
        covered_by=covered_by_fields(outcome.by) if isinstance(outcome, Covered) else None,
        **_verdict(outcome),
    )


def encode(line: ResultLine) -> bytes:
    """Encode a line as JSON with a line feed."""
    return escape_json(_ENCODER.encode(line)) + b"\n"


@dataclass(frozen=True, slots=True)
class LongLine:
    """A line with more matches than are to be in memory once more as JSON."""

    line: ResultLine  # without them
    answer: Answer  # has them

    def pieces(self) -> Iterator[bytes]:
        """The line's JSON with its line feed, each piece made when it is asked for."""
        head, tail = encode(self.line).split(_NO_MATCHES)
        matches = chain(self.answer.matches, self.answer.gone)
        before = head + _NO_MATCHES[:-1]
        while some := [fields_of(match) for match in islice(matches, MANY_MATCHES)]:
            yield before + escape_json(_ENCODER.encode(some))[1:-1]
            before = b","
        yield _NO_MATCHES[-1:] + tail


Line: TypeAlias = ResultLine | LongLine


def with_matches(line: ResultLine, answer: Answer | None) -> Line:
    """Give a line without matches those of its answer."""
    if answer is None:
        return line
    if len(answer.matches) + len(answer.gone) > MANY_MATCHES:
        return LongLine(line, answer)
    return msgspec.structs.replace(line, matches=match_fields(answer))


def encoded(lines: Iterable[Line]) -> Iterator[bytes]:
    """Lines' JSON: all in one, but for long ones, of which each comes in pieces."""
    short: list[bytes] = []
    for line in lines:
        if isinstance(line, ResultLine):
            short.append(encode(line))
            continue
        yield b"".join(short)
        short.clear()
        yield from line.pieces()
    yield b"".join(short)


def _verdict(outcome: Outcome) -> dict[str, Any]:
    """The fields that depend on whether there is an answer."""
    match outcome:
        case Scanned(answer=answer) | Reused(answer=answer) | Covered(answer=answer):
            return {"reason": None, "detail": None, "error": None, **_answer_fields(answer)}
        case _:
            return {
                "reason": outcome.reason,
                "detail": replace_surrogates(outcome.detail),
                "error": error_fields(getattr(outcome, "error", None)),
                **_answer_fields(answer_of(outcome)),
            }


def _answer_fields(answer: Answer | None) -> dict[str, Any]:
    if answer is None:
        return {"scanned_at": None, "score": None, "matches": []}
    at = rfc3339(answer.received_at)
    return {"scanned_at": at, "score": score_fields(answer), "matches": []}


def _credits(outcome: Outcome) -> int | None:
    """Credits charged; None if it was sent and the charge is not known."""
    if isinstance(outcome, Scanned):
        return outcome.answer.credits
    if isinstance(outcome, Failed) and outcome.effort.attempts:
        return outcome.answer.credits if outcome.answer else None
    return 0


def answer_of(outcome: Outcome) -> Answer | None:
    """The answer that an outcome rests on."""
    return outcome.answer if isinstance(outcome, Scanned | Reused | Covered | Failed) else None


def warnings_of(own: Iterable[str], answer: Answer | None) -> list[str]:
    """The warnings about a file, then those of its answer, without duplicates."""
    inherited = answer.warnings if answer else ()
    return list(dict.fromkeys(replace_surrogates(warning) for warning in (*own, *inherited)))
