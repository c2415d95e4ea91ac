"""What LibRaw's report and a camera RAW file's own directory say of it together."""

from __future__ import annotations

from typing import Final

from batchscan.enums import FailReason, RejectReason
from batchscan.images.metadata import ifd
from batchscan.images.raw_process import RawReport
from batchscan.images.rules import RAW_UNDECODABLE, Rules, RuleViolation, Size

MIN_BITS: Final = 0.5
"""Bits of file a pixel: complete files have 1.7 and more, emptied ones 0.02."""


def judge_raw(
    report: RawReport, sensor: ifd.Directory | None, length: int, rules: Rules
) -> tuple[Size, list[str]]:
    """Give the size and the warnings of a RAW file that is whole.

    Args:
        report: what LibRaw made of it.
        sensor: what its own directory says of the sensor's picture, where it has one.
        length: of the file, in bytes.
        rules: with the pixel limit.

    Raises:
        Unfit: it is damaged, too large, or its check failed.
    """
    if report.no_memory:
        raise RuleViolation(FailReason.CHECK_FAILED, "the RAW decoder ran out of memory")
    if not report.opened:
        return _unopened(report, sensor, length, rules)
    size = Size(report.width, report.height)
    whole = Size(report.raw_width, report.raw_height)
    rules.limit(whole)
    _complete(length, whole, sensor)
    if report.error is None:
        return size, []
    if not report.unsupported:
        raise RuleViolation(
            RejectReason.CORRUPT, f"its sensor data cannot be decoded: {report.error}", size
        )
    return size, [f"{RAW_UNDECODABLE}: {report.error}"]


def _unopened(
    report: RawReport, sensor: ifd.Directory | None, length: int, rules: Rules
) -> tuple[Size, list[str]]:
    """Judge what LibRaw does not know yet: complete by its own directory, it may be sent."""
    if not (report.unsupported and sensor and sensor.is_sensor_data and sensor.end()):
        raise RuleViolation(RejectReason.CORRUPT, f"its header cannot be read: {report.error}")
    size = Size(sensor.width, sensor.height)
    rules.limit(size)
    _complete(length, size, sensor)
    return size, [f"{RAW_UNDECODABLE}: {report.error}"]


def _complete(length: int, size: Size, sensor: ifd.Directory | None) -> None:
    """Hold what the file claims against the bytes there are.

    Raises:
        Unfit: sensor data is missing.
    """
    if sensor and sensor.end() > length:
        raise RuleViolation(
            RejectReason.CORRUPT,
            f"its sensor data reaches to byte {sensor.end():,}, and the file ends at {length:,}",
            size,
        )
    bits = 8 * length / max(1, size.pixels)
    if not size.pixels or bits < MIN_BITS:
        raise RuleViolation(
            RejectReason.CORRUPT, f"{bits:.2f} bits a pixel: the sensor data is missing", size
        )
