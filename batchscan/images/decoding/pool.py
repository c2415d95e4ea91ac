"""The decoder processes of one machine, and what they are asked for."""

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
    """The JPEG to send, and the size of the picture that it was made of."""

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
    """A picture of somebody else's, as far as it is kept."""

    width: int
    height: int
    fingerprint: bytes = field(repr=False)  # for `images.likeness.likeness`
    preview: bytes = field(repr=False)  # a small JPEG with nothing but pixels in it


class Decoders:
    """Some decoder processes; may be shared by threads, which take turns at them.

    The first starts with the first file, another one when all that there are have work.
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
            processes: at most so many at once; by default one for each core, up to four.
            pixels: what is decoded at once is bounded by it; shared with the judge.
            command: for tests.
            seconds: that one file may take.
        """
        count = processes or min(MAX_PROCESSES, os.cpu_count() or 1)
        self._pixels = pixels or WeightedSemaphore(MAX_DECODED_PIXELS)
        self._all = [DecoderProcess(command, seconds) for _ in range(count)]
        self._idle = deque(self._all)
        self._changed = threading.Condition()

    @property
    def pids(self) -> list[int]:
        """The process ids of the children that there are."""
        return [child.pid for child in self._all if child.pid is not None]

    def examine_raw(self, data: bytes, *, unpack: bool, max_pixels: int) -> RawReport:
        """Have LibRaw open one file and, if asked, decode its sensor data.

        Raises:
            DecoderDied: the process crashed, took too long, or could not be started.
        """
        operation = Operation.RAW_SENSOR if unpack else Operation.RAW_HEADER
        return self._raw(operation, data, max_pixels)

    def preview_raw(self, data: bytes, *, max_pixels: int) -> bytes | None:
        """Have a thumbnail made of the preview in one file; None where that has none of use.

        Raises:
            DecoderDied: the process crashed, took too long, or could not be started.
        """
        return self._raw(Operation.RAW_PREVIEW, data, max_pixels).thumbnail

    def convert(
        self, kind: ImageFormat, source: FileSource, *, check_raw: bool = False, unpack: bool = True
    ) -> ConvertedFile:
        """Have the JPEG made that is sent in a picture's place.

        Args:
            kind: what the content is.
            source: the whole file.
            check_raw: hold a camera RAW against the rules first: it was not judged yet.
            unpack: for that, decode the sensor's data.

        Raises:
            Unfit: the picture cannot be decoded right, or the decoder died over it.
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

    def look(self, kind: ImageFormat, data: bytes) -> FingerprintedPicture:
        """Have a picture decoded, a small copy made of it, and its fingerprint taken.

        Args:
            kind: what the content is (`signature.sniff`).
            data: the whole file; from anywhere, as it is never decoded in this process.

        Raises:
            RuleViolation: it cannot be decoded, or the decoder died over it.
        """
        request = DecoderRequest(Operation.LOOK, 0, MAX_DECODED_PIXELS, None, kind.name)
        try:
            reply, preview = self._ask(request, FileSource(data))
        except DecoderDied as error:
            raise RuleViolation(FailReason.CHECK_FAILED, str(error)) from error
        if reply.reason is not None:
            raise _unfit(reply)
        mark = bytes.fromhex(reply.fingerprint)
        return FingerprintedPicture(reply.width or 0, reply.height or 0, mark, preview)

    def close(self) -> None:
        """End all children, also in the middle of a file; they hold nothing worth keeping."""
        for child in self._all:
            child.kill()
        for _ in self._all:  # whoever still asks one gives it back now
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
        """The child that was idle last: the others need not be started."""
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
    known = reply.width is not None and reply.height is not None
    return RuleViolation(
        reason, reply.detail or "", Size(reply.width or 0, reply.height or 0) if known else None
    )
