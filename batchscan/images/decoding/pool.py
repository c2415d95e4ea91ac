"""The pool of decoder processes."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from batchscan.enums import FailReason, RejectReason
from batchscan.images.decoding.messages import DecoderReply, DecoderRequest, Operation
from batchscan.images.decoding.process import COMMAND, DecoderDied, DecoderProcess, FileSource
from batchscan.images.kinds import ImageFormat
from batchscan.images.raw_process import RawReport
from batchscan.images.rules import MAX_DECODED_PIXELS, RuleViolation, Size
from batchscan.model import Provenance
from batchscan.util.weighted_semaphore import WeightedSemaphore

SECONDS: Final = 60.0
"""How long one file may take."""

MAX_PROCESSES: Final = 4
"""Each may take 1.5 GiB for a picture."""


@dataclass(frozen=True, slots=True)
class ConvertedFile:
    """The JPEG to send, and the size of the picture that it was made from."""

    data: bytes = field(repr=False)
    width: int
    height: int
    source_width: int
    source_height: int
    warnings: tuple[str, ...] = ()
    made_with: str = ""
    provenance: Provenance | None = None  # of the file
    taken: str = ""  # when, to the fraction of a second


@dataclass(frozen=True, slots=True)
class FingerprintedPicture:
    """What is stored of a picture on the web."""

    width: int
    height: int
    fingerprint: bytes = field(repr=False)  # for `images.likeness.likeness`
    preview: bytes = field(repr=False)  # a small JPEG with nothing but pixels in it


class Decoders:
    """Decoder processes, shared by threads.

    The first starts with the first file, another one when all running ones are busy.
    """

    def __init__(
        self,
        processes: int | None = None,
        *,
        pixels: WeightedSemaphore | None = None,
        command: Sequence[str] = COMMAND,
        seconds: float = SECONDS,
    ) -> None:
        """Prepare.

        Args:
            processes: at most this many; by default one for each core, up to four.
            pixels: bounds the pixels decoded at once; shared with the judge.
            command: for tests.
            seconds: at most for one file.
        """
        count = processes or min(MAX_PROCESSES, os.cpu_count() or 1)
        self._pixels = pixels or WeightedSemaphore(MAX_DECODED_PIXELS)
        self._all = [DecoderProcess(command, seconds) for _ in range(count)]
        self._idle = deque(self._all)
        self._changed = threading.Condition()

    @property
    def pids(self) -> list[int]:
        """The process ids of the running children."""
        return [child.pid for child in self._all if child.pid is not None]

    def examine_raw(self, data: bytes, *, unpack: bool, max_pixels: int) -> RawReport:
        """Open one file with LibRaw and, with `unpack`, decode its sensor data.

        Raises:
            DecoderDied: the process crashed, took too long, or could not be started.
        """
        operation = Operation.RAW_SENSOR if unpack else Operation.RAW_HEADER
        return self._raw(operation, data, max_pixels)

    def preview_raw(self, data: bytes, *, max_pixels: int) -> bytes | None:
        """Make a thumbnail of the preview in a RAW file; None if it has no usable one.

        Raises:
            DecoderDied: the process crashed, took too long, or could not be started.
        """
        return self._raw(Operation.RAW_PREVIEW, data, max_pixels).thumbnail

    def convert(
        self, kind: ImageFormat, source: FileSource, *, check_raw: bool = False, unpack: bool = True
    ) -> ConvertedFile:
        """Make the JPEG that is sent instead of a file.

        Args:
            kind: what the content is.
            source: the whole file.
            check_raw: check a camera RAW against the rules first, if it was not judged yet.
            unpack: for that check, decode the sensor's data.

        Raises:
            RuleViolation: the picture cannot be decoded correctly, or the decoder crashed.
        """
        request = DecoderRequest(
            Operation.CONVERT, 0, MAX_DECODED_PIXELS, None, kind.name, check_raw, unpack
        )
        try:
            reply, data = self._ask(request, source)
        except DecoderDied as error:
            raise RuleViolation(FailReason.CHECK_FAILED, str(error)) from error
        if reply.reason is not None:
            raise _unfit(reply)
        return ConvertedFile(
            data,
            reply.sent_width,
            reply.sent_height,
            reply.width or 0,
            reply.height or 0,
            reply.warnings,
            reply.made_with,
            reply.provenance,
            reply.taken,
        )

    def fingerprint(self, kind: ImageFormat, data: bytes) -> FingerprintedPicture:
        """Decode a picture, and make a thumbnail and a fingerprint of it.

        Args:
            kind: what the content is (`signature.sniff`).
            data: the whole file, which may be hostile: it is not decoded in this process.

        Raises:
            RuleViolation: it cannot be decoded, or the decoder crashed.
        """
        request = DecoderRequest(Operation.FINGERPRINT, 0, MAX_DECODED_PIXELS, None, kind.name)
        try:
            reply, preview = self._ask(request, FileSource(data))
        except DecoderDied as error:
            raise RuleViolation(FailReason.CHECK_FAILED, str(error)) from error
        if reply.reason is not None:
            raise _unfit(reply)
        mark = bytes.fromhex(reply.fingerprint)
        return FingerprintedPicture(reply.width or 0, reply.height or 0, mark, preview)

    def close(self) -> None:
        """End all children, also in the middle of a file."""
        for child in self._all:
            child.kill()
        for _ in self._all:  # wait until all callers have returned theirs
            with self._changed:
                self._changed.wait_for(lambda: self._idle)
                self._idle.popleft().reap()
        with self._changed:
            self._idle.extend(self._all)
            self._changed.notify_all()

    def _raw(self, operation: Operation, data: bytes, max_pixels: int) -> RawReport:
        reply, _ = self._ask(DecoderRequest(operation, 0, max_pixels, None), FileSource(data))
        if reply.raw is None:
            raise DecoderDied("the decoder gave no answer")
        return reply.raw

    def _ask(self, request: DecoderRequest, source: FileSource) -> tuple[DecoderReply, bytes]:
        with self._child() as child:
            return child.ask(request, source, self._pixels)

    @contextmanager
    def _child(self) -> Iterator[DecoderProcess]:
        """The child that was used last, so that no more than needed are started."""
        with self._changed:
            self._changed.wait_for(lambda: self._idle)
            child = self._idle.popleft()
        try:
            yield child
        finally:
            with self._changed:
                self._idle.appendleft(child)
                self._changed.notify()


def _unfit(reply: DecoderReply) -> RuleViolation:
    try:
        reason: RejectReason | FailReason = RejectReason(reply.reason or "")
    except ValueError:
        reason = FailReason.CHECK_FAILED
    has_size = reply.width is not None and reply.height is not None
    return RuleViolation(
        reason, reply.detail or "", Size(reply.width or 0, reply.height or 0) if has_size else None
    )
