"""Judging a camera RAW file by LibRaw's report and its own directory."""

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
    """Size and warnings of a complete RAW file.

    Args:
        report: LibRaw's.
        sensor: the file's own directory of the sensor's picture; None without one.
        length: of the file, in bytes.
        rules: with the pixel limit.

    Raises:
        RuleViolation: it is damaged, too large, or its check failed.
    """
    if report.no_memory:
        raise RuleViolation(FailReason.CHECK_FAILED, "the RAW decoder ran out of memory")
    if not report.opened:
        return _unopened(report, sensor, length, rules)
    size = Size(report.width, report.height)
    full_size = Size(report.raw_width, report.raw_height)
    rules.limit(full_size)
    _complete(length, full_size, sensor)
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
    """Judge a file that LibRaw does not support: if it is complete, it may be sent."""
    if not (report.unsupported and sensor and sensor.is_sensor_data and sensor.end()):
        raise RuleViolation(RejectReason.CORRUPT, f"its header cannot be read: {report.error}")
    size = Size(sensor.width, sensor.height)
    rules.limit(size)
    _complete(length, size, sensor)
    return size, [f"{RAW_UNDECODABLE}: {report.error}"]


def _complete(length: int, size: Size, sensor: ifd.Directory | None) -> None:
    """Check that the file contains the sensor data that it claims.

    Raises:
        RuleViolation: sensor data is missing.
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
