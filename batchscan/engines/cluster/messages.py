"""What goes between the driver and a station; never a picture's bytes, never the key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from batchscan.model import Candidate, Image


@dataclass(frozen=True, slots=True)
class Inspect:
    """Read, hash and judge a file, and keep its bytes."""

    number: int
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class MakeSendable:
    """Make what is sent for a picture, and keep it in place of the file's bytes."""

    number: int
    image: Image  # without its bytes
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Upload:
    """Send a picture once, under this scan id."""

    number: int
    scan_id: str
    image: Image  # without its bytes
    candidate: Candidate  # to read it again where they are gone
    at: float  # when its first byte is to leave, on the station's monotonic clock
    distrust: bool = False  # some worker was given another request's answer: keep no connection


@dataclass(frozen=True, slots=True)
class MakePreview:
    """Make a picture's portrait."""

    number: int
    image: Image
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Release:
    """Drop a picture's bytes: nothing more will be asked about it."""

    path: str
    sha256: str


Work: TypeAlias = Inspect | MakeSendable | Upload | MakePreview
Task: TypeAlias = Work | Release


@dataclass(frozen=True, slots=True)
class TaskRejected:
    """The result of an order that came when the station was leaving: nothing was done."""


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What came of an order: an `Image` without bytes, a `Reply`, a `Preview`, or an exception."""

    number: int
    result: object


@dataclass(frozen=True, slots=True)
class EventBatch:
    """What has happened at a station since it was asked last."""

    first: int  # the number of the first event
    events: tuple[TaskResult, ...]
    now: float  # on the station's monotonic clock
    retiring: bool  # its worker is closing: it takes no more orders


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """What a station says of itself."""

    version: str  # of batchscan
    python: str  # "3.11"
    free_bytes: int  # bytes of pictures that it keeps
