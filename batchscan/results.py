"""`results.jsonl`: one line for each picture that a run decided; partial lines are removed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from typing import Any, Literal

import aiofiles
import msgspec

from batchscan.enums import Status
from batchscan.errors import StorageError
from batchscan.model import (
    Answer,
    Covered,
    Failed,
    Match,
    Outcome,
    Reused,
    Scanned,
    Sent,
    ServiceError,
    TrackedMatch,
)
from batchscan.rendition_types import CoveredBy
from batchscan.result_fields import (
    CoveredByFields,
    ErrorFields,
    MatchFields,
    ScoreFields,
    SentFields,
    recheck_fields,
)
from batchscan.util.collection import collection_held
from batchscan.util.escaping import escape_json, path_fields, printable, replace_surrogates
from batchscan.util.private_files import advice_for, open_private, sync
from batchscan.util.timestamps import rfc3339

SCHEMA: Literal[1] = 1
MANY_MATCHES = 1_000  # of one answer


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
_DECODER = msgspec.json.Decoder(ResultLine)


def line_of(outcome: Outcome, run_id: str, *, sandbox: bool) -> ResultLine:
    """The line of one outcome."""
    subject, effort = outcome.subject, outcome.effort
    path, path_b64 = path_fields(subject.path)
    return ResultLine(
        run_id=run_id,
        path=path,
        path_b64=path_b64,
        status=outcome.status,
        warnings=warnings_of(subject.warnings, _answer_of(outcome)),
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


def read_lines(path: str) -> Iterator[ResultLine]:
    """Read a results file; a last line without a line feed was cut off and is left out.

    Raises:
        StorageError: the file cannot be read, or a line inside it is not a result.
    """
    try:
        with open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                if line.endswith(b"\n"):
                    yield _decoded(path, number, line)
    except OSError as error:
        raise StorageError(f"cannot read '{printable(path)}': {error.strerror}") from error


class ResultsWriter:
    """Appends whole lines to a new file that only its owner can read.

    A write that fails leaves nothing behind, so that the file always ends with a whole line.
    """

    def __init__(self, path: str, file: Any) -> None:  # noqa: ANN401 - aiofiles names no public type
        """Take an open file; `create` opens one."""
        self._path = path
        self._file = file
        self._size = 0

    @classmethod
    async def create(cls, path: str) -> ResultsWriter:
        """Create the file.

        Raises:
            StorageError: it cannot be created, or exists already.
        """
        try:
            # Unbuffered: the next write must not flush what a failed one left in a buffer.
            file = await aiofiles.open(path, "xb", buffering=0, opener=open_private)
        except OSError as error:
            raise _cannot_write(path, error) from error
        return cls(path, file)

    async def write(self, lines: Iterable[ResultLine]) -> None:
        """Append lines, all in one write.

        Raises:
            StorageError: they cannot be written; none of them counts as written.
        """
        data = b"".join(map(encode, lines))
        try:
            await self._write_all(data)
        except OSError as error:
            await self._undo()
            raise _cannot_write(self._path, error) from error
        self._size += len(data)

    async def close(self) -> None:
        """Sync the file to disk and close it.

        Raises:
            StorageError: it cannot be written.
        """
        try:
            try:
                await asyncio.to_thread(sync, self._file.fileno())
            finally:
                await self._file.close()
        except OSError as error:
            raise _cannot_write(self._path, error) from error

    async def _write_all(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[await self._file.write(rest) :]

    async def _undo(self) -> None:
        """Remove the part of a failed write that reached the file."""
        with suppress(OSError):
            await self._file.seek(self._size)
            await self._file.truncate()


def _verdict(outcome: Outcome) -> dict[str, Any]:
    """The fields that depend on whether there is an answer."""
    match outcome:
        case Scanned(answer=answer) | Reused(answer=answer) | Covered(answer=answer):
            return {"reason": None, "detail": None, "error": None, **_answer_fields(answer)}
        case _:
            return {
                "reason": outcome.reason,
                "detail": replace_surrogates(outcome.detail),
                "error": _error(getattr(outcome, "error", None)),
                **_answer_fields(_answer_of(outcome)),
            }


def _answer_fields(answer: Answer | None) -> dict[str, Any]:
    if answer is None:
        return {"scanned_at": None, "score": None, "matches": []}
    return {
        "scanned_at": rfc3339(answer.received_at),
        "score": score_fields(answer),
        "matches": match_fields(answer),
    }


def _credits(outcome: Outcome) -> int | None:
    """Credits charged; None if it was sent and the charge is not known."""
    if isinstance(outcome, Scanned):
        return outcome.answer.credits
    if isinstance(outcome, Failed) and outcome.effort.attempts:
        return outcome.answer.credits if outcome.answer else None
    return 0


def _answer_of(outcome: Outcome) -> Answer | None:
    return outcome.answer if isinstance(outcome, Scanned | Reused | Covered | Failed) else None


def warnings_of(own: Iterable[str], answer: Answer | None) -> list[str]:
    """The warnings about a file, then those of its answer, without duplicates."""
    said = answer.warnings if answer else ()
    return list(dict.fromkeys(replace_surrogates(warning) for warning in (*own, *said)))


def sent_fields(sent: Sent | None) -> SentFields | None:
    """The fields about the bytes that were sent instead of a file."""
    return msgspec.convert(sent, SentFields, from_attributes=True) if sent else None


def covered_by_fields(by: CoveredBy) -> CoveredByFields:
    """The fields about the answered picture that a picture is a version of."""
    path, _ = path_fields(by.path)
    return CoveredByFields(path, by.sha256, by.distance, by.difference, by.rule)


def _error(error: ServiceError | None) -> ErrorFields | None:
    if error is None:
        return None
    words = (error.type, error.code, error.id, error.trace_id)
    return ErrorFields(error.http_status, *(word and replace_surrogates(word) for word in words))


def match_fields(answer: Answer) -> list[MatchFields]:
    """The fields of an answer's matches, and of those that are gone from it."""
    with collection_held() if len(answer.matches) > MANY_MATCHES else nullcontext():
        return [fields_of(match) for match in (*answer.matches, *answer.gone)]


def score_fields(answer: Answer) -> ScoreFields | None:
    """The fields about the numbers of matches, as counted by the service."""
    score = answer.score
    return None if score is None else ScoreFields(score.total, score.full, score.partial)


def fields_of(match: Match) -> MatchFields:
    """The fields of a match; its history is null if it is not known."""
    url, domain = replace_surrogates(match.url), replace_surrogates(match.domain)
    pages = [replace_surrogates(page) for page in match.pages]
    if not isinstance(match, TrackedMatch):
        return MatchFields(url, match.kind, pages, domain)
    return MatchFields(
        url,
        match.kind,
        pages,
        domain,
        match.state,
        rfc3339(match.first_seen),
        rfc3339(match.last_seen),
        match.disposition,
        recheck_fields(match.recheck),
    )


def _decoded(path: str, number: int, line: bytes) -> ResultLine:
    try:
        return _DECODER.decode(line)
    except msgspec.MsgspecError as error:
        raise StorageError(f"'{printable(path)}', line {number}: {error}") from error


def _cannot_write(path: str, error: OSError) -> StorageError:
    what = f"cannot write '{printable(path)}': {error.strerror}"
    return StorageError(what, advice=advice_for(error))
