"""Functions that make the outcome of a picture."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from batchscan.enums import DeferReason, FailReason, RejectReason
from batchscan.ledger import StoredAnswer
from batchscan.model import (
    Answer,
    Candidate,
    Deferred,
    Effort,
    Failed,
    Image,
    NotSendable,
    Rejected,
    Reused,
    ServiceError,
    Subject,
    TrackedMatch,
)
from batchscan.pace import Clock
from batchscan.runs.answer_lines import read_again, unreadable_detail
from batchscan.runs.rebuild import with_history


class Stopwatch:
    """Measures the time spent on one picture."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._started_at = clock.wall()
        self._started = clock.monotonic()

    def effort(
        self, attempts: int = 0, scan_id: str | None = None, generation: int | None = None
    ) -> Effort:
        """The effort up to now."""
        elapsed = self._clock.monotonic() - self._started
        return Effort(
            started_at=self._started_at,
            finished_at=self._clock.wall(),
            elapsed_ms=round(elapsed * 1000),
            attempts=attempts,
            scan_id=scan_id,
            generation=generation,
        )


def subject_of(file: Candidate | Image | NotSendable) -> Subject:
    """The file that an outcome is about."""
    size = file.stat.size if file.stat else None
    if isinstance(file, Candidate):
        return Subject(file.path, size)
    return Subject(
        path=file.path,
        bytes=size,
        sha256=file.sha256,
        format=file.format,
        width=file.width,
        height=file.height,
        warnings=file.warnings,
        sent=file.sent if isinstance(file, Image) else None,
    )


def not_sendable(file: NotSendable, watch: Stopwatch) -> Rejected | Failed:
    """The outcome of a file that will not be sent."""
    if isinstance(file.reason, RejectReason):
        return Rejected(subject_of(file), watch.effort(), file.reason, file.detail)
    return Failed(subject_of(file), watch.effort(), file.reason, file.detail)


def deferred(candidate: Candidate, reason: DeferReason, detail: str, watch: Stopwatch) -> Deferred:
    """The outcome of a file that was not tried."""
    return Deferred(subject_of(candidate), watch.effort(), reason, detail)


def unreadable(subject: Subject, effort: Effort, answer: Answer) -> Failed:
    """The outcome of a picture whose answer cannot be read, or not completely."""
    detail = unreadable_detail(answer)
    return Failed(subject, effort, FailReason.BAD_RESPONSE, detail, answer=answer)


def reused(
    image: Image,
    stored: StoredAnswer,
    history: Mapping[str, TrackedMatch],
    watch: Stopwatch,
    *,
    sandbox: bool,
) -> Reused | Failed:
    """The outcome of a picture whose content was answered before."""
    answer = with_history(read_again(stored, sandbox=sandbox), history)
    effort = watch.effort(scan_id=stored.scan_id, generation=stored.generation)
    subject = subject_of(image)
    if answer.trouble is not None:
        return unreadable(subject, effort, answer)
    return Reused(subject, effort, answer)


def refused(image: Image, effort: Effort, error: ServiceError, *, final: bool) -> Rejected | Failed:
    """The outcome of a picture that the service refused; `final` if that is not tried again."""
    message = error.message or f"HTTP {error.http_status}"
    if final:
        detail = f"the service refused it: {message}"
        return Rejected(subject_of(image), effort, RejectReason.REFUSED_BY_API, detail, error)
    detail = f"the service did not accept the request: {message}"
    return Failed(subject_of(image), effort, FailReason.SERVER_ERROR, detail, error)


def encode_refusal(error: ServiceError) -> bytes:
    """Encode a refusal for the ledger."""
    return msgspec.json.encode(error)


def decode_refusal(refusal: bytes) -> ServiceError:
    """Decode a refusal from the ledger."""
    return msgspec.json.decode(refusal, type=ServiceError)
