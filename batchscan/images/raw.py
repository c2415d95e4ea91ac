"""Judging camera RAW with LibRaw, and by the position of the sensor data in the file.

LibRaw opens files without any sensor data, and unpacks some whose tiles are all beyond the end of
the file; Pillow sees the thumbnail only. So neither is used alone.
"""

from __future__ import annotations

from batchscan.enums import FailReason
from batchscan.images.decoding.pool import Decoders
from batchscan.images.decoding.process import DecoderDied
from batchscan.images.metadata import ifd
from batchscan.images.raw_rules import judge_raw
from batchscan.images.rules import Rules, RuleViolation, Size


class RawJudge:
    """Judges camera RAW; thread-safe."""

    def __init__(self, rules: Rules, decoders: Decoders) -> None:
        self._rules = rules
        self._decoders = decoders

    def judge(self, data: bytes) -> tuple[Size, list[str]]:
        """Size and warnings of a RAW file that can be sent.

        Raises:
            RuleViolation: it is damaged, too large, or its check failed.
        """
        try:
            report = self._decoders.examine_raw(
                data, unpack=self._rules.check == "full", max_pixels=self._rules.max_pixels
            )
        except DecoderDied as error:
            raise RuleViolation(FailReason.CHECK_FAILED, str(error)) from error
        return judge_raw(report, ifd.sensor(data), len(data), self._rules)
