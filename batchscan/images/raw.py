"""Camera RAW, judged by LibRaw and by where the file says its sensor data lies.

LibRaw opens files that hold no sensor data at all, and unpacks some whose tiles all lie behind
the end of the file; Pillow sees the thumbnail only. Neither is asked alone.
"""

from __future__ import annotations

from typing import Final

from batchscan.images import tiff
from batchscan.images.raw_process import RawProcess, RawProcessDied
from batchscan.images.raw_report import RawReport
from batchscan.images.rules import Rules
from batchscan.images.verdict import RAW_UNDECODABLE, Size, Unfit
from batchscan.names import FailReason, RejectReason

LEAST_BITS: Final = 0.5
"""Bits of file a pixel: complete files have 1.7 and more, emptied ones 0.02."""

_CLASSIC: Final = (b"II*\0", b"MM\0*", b"IIRO", b"IIRS", b"MMOR")  # strips stand as in TIFF 6.0


class RawJudge:
    """Judges camera RAW; may be shared by threads, which take turns at its one process."""

    def __init__(self, rules: Rules, process: RawProcess) -> None:
        self._rules = rules
        self._process = process

    def judge(self, data: bytes) -> tuple[Size, list[str]]:
        """Give the size and the warnings of a RAW file that can be sent.

        Raises:
            Unfit: it is damaged, too large, or its check failed.
        """
        sensor = tiff.main_picture(tiff.directories(data)) if data[:4] in _CLASSIC else None
        report = self._ask(data)
        if not report.opened:
            return self._unopened(data, report, sensor)
        size = Size(report.width, report.height)
        whole = Size(report.raw_width, report.raw_height)
        self._rules.limit(whole)
        _complete(data, whole, sensor)
        if report.error is None:
            return size, []
        if not report.unsupported:
            raise Unfit(
                RejectReason.CORRUPT, f"its sensor data cannot be decoded: {report.error}", size
            )
        return size, [f"{RAW_UNDECODABLE}: {report.error}"]

    def _ask(self, data: bytes) -> RawReport:
        try:
            report = self._process.examine(
                data, unpack=self._rules.check == "full", max_pixels=self._rules.max_pixels
            )
        except RawProcessDied as error:
            raise Unfit(FailReason.CHECK_FAILED, str(error)) from error
        if report.no_memory:
            raise Unfit(FailReason.CHECK_FAILED, "the RAW decoder ran out of memory")
        return report

    def _unopened(
        self, data: bytes, report: RawReport, sensor: tiff.Directory | None
    ) -> tuple[Size, list[str]]:
        """Judge what LibRaw does not know yet: complete by its own directory, it may be sent."""
        if not (report.unsupported and sensor and sensor.is_sensor_data and sensor.end()):
            raise Unfit(RejectReason.CORRUPT, f"its header cannot be read: {report.error}")
        size = Size(sensor.width, sensor.height)
        self._rules.limit(size)
        _complete(data, size, sensor)
        return size, [f"{RAW_UNDECODABLE}: {report.error}"]


def _complete(data: bytes, size: Size, sensor: tiff.Directory | None) -> None:
    """Hold what the file claims against the bytes there are.

    Raises:
        Unfit: sensor data is missing.
    """
    if sensor and sensor.end() > len(data):
        raise Unfit(
            RejectReason.CORRUPT,
            f"its sensor data reaches to byte {sensor.end():,}, and the file ends at {len(data):,}",
            size,
        )
    bits = 8 * len(data) / max(1, size.pixels)
    if not size.pixels or bits < LEAST_BITS:
        raise Unfit(
            RejectReason.CORRUPT, f"{bits:.2f} bits a pixel: the sensor data is missing", size
        )
