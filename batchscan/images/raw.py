"""Camera RAW, judged by LibRaw and by where the file says its sensor data lies.

LibRaw opens files that hold no sensor data at all, and unpacks some whose tiles all lie behind
the end of the file; Pillow sees the thumbnail only. Neither is asked alone.
"""

from __future__ import annotations

from batchscan.enums import FailReason
from batchscan.images.decoding.pool import Decoders
from batchscan.images.decoding.process import DecoderDied
from batchscan.images.metadata import ifd
from batchscan.images.raw_rules import judge_raw
from batchscan.images.rules import Rules, RuleViolation, Size


class RawJudge:
    """Judges camera RAW; may be shared by threads, which take turns at the decoders."""

    def __init__(self, rules: Rules, decoders: Decoders) -> None:
        self._rules = rules
        self._decoders = decoders

    def judge(self, data: bytes) -> tuple[Size, list[str]]:
        """Give the size and the warnings of a RAW file that can be sent.

        Raises:
            Unfit: it is damaged, too large, or its check failed.
        """
        try:
            report = self._decoders.examine_raw(
                data, unpack=self._rules.check == "full", max_pixels=self._rules.max_pixels
            )
        except DecoderDied as error:
            raise RuleViolation(FailReason.CHECK_FAILED, str(error)) from error
        return judge_raw(report, ifd.sensor(data), len(data), self._rules)
