"""Messages between the driver and an actor; never a picture's bytes, never the key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from batchscan.images.comparing import Content
from batchscan.model import Candidate, Image


@dataclass(frozen=True, slots=True)
class Inspect:
    """Task: read, hash and judge a file, and keep its bytes."""

    number: int
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class MakeSendable:
    """Task: make what is sent for a picture, and keep it instead of the file's bytes."""

    number: int
    image: Image  # without its bytes
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Upload:
    """Task: send a picture once, under this scan id."""

    number: int
    scan_id: str
    image: Image  # without its bytes
    candidate: Candidate  # to read the file again if its bytes were evicted
    at: float  # when to send the first byte, on the actor's monotonic clock
    distrust: bool = False  # some worker got another request's answer: reuse no connection


@dataclass(frozen=True, slots=True)
class MakePreview:
    """Task: make a picture's preview."""

    number: int
    image: Image
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Compare:
    """Task: compare two files closely."""

    number: int
    one: Content
    other: Content


@dataclass(frozen=True, slots=True)
class Release:
    """Task: drop a picture's bytes."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class DropBody:
    """Task: drop the body of a `LongReply`, which the driver has."""

    number: int  # of the upload


Work: TypeAlias = Inspect | MakeSendable | Upload | MakePreview | Compare
Task: TypeAlias = Work | Release | DropBody


@dataclass(frozen=True, slots=True)
class TaskRejected:
    """The result of a task that came while the actor was retiring: nothing was done."""


@dataclass(frozen=True, slots=True)
class TaskResult:
    """The result of a task.

    An `Image` without bytes, a `Reply`, a `LongReply`, a `Preview`, a number, or an exception.
    """

    number: int
    result: object


@dataclass(frozen=True, slots=True)
class EventBatch:
    """The results of an actor since the last poll."""

    first: int  # the number of the first event
    events: tuple[TaskResult, ...]
    now: float  # on the actor's monotonic clock
    retiring: bool  # its worker is closing: it takes no more tasks


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """The properties of a worker."""

    version: str  # of batchscan
    python: str  # "3.11"
    free_bytes: int  # size of its cache for pictures
