"""200 megapixels, the most that are decoded, within the memory of one decoder process."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from PIL import Image

from batchscan.enums import RejectReason
from batchscan.images import kinds
from batchscan.images.decoding.child import MEMORY
from batchscan.images.decoding.pool import Decoders
from batchscan.images.decoding.process import FileSource
from batchscan.images.rules import RuleViolation
from tests.support import huge_pictures
from tests.support.colours import COLOURS, assert_shows

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


def most_memory(pid: int) -> int:
    """The most bytes that a process ever had in memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("kind", "make"),
    [
        (kinds.JPEG, huge_pictures.jpeg),
        (kinds.PNG, huge_pictures.png),
        (kinds.TIFF, huge_pictures.tiff_of),
        (kinds.TIFF, lambda colours: huge_pictures.tiff_of(colours, floats=True)),
    ],
    ids=["jpeg", "png", "tiff", "tiff of floats"],
)
def test_200_megapixels_are_converted_within_the_memory_of_a_process(kind, make):
    decoders = Decoders(1, seconds=240)
    try:
        made = decoders.convert(kind, FileSource(make(COLOURS)))
        [pid] = decoders.pids
        assert most_memory(pid) < MEMORY
    finally:
        decoders.close()

    assert (made.source_width, made.source_height) == (20_000, 10_000)
    assert_shows(Image.open(io.BytesIO(made.data)).convert("RGB"), size=(2048, 1024))


def test_one_row_of_blocks_more_is_refused_by_its_header():
    decoders = Decoders(1)
    try:
        data = huge_pictures.jpeg(COLOURS, huge_pictures.HEIGHT + 16)
        with pytest.raises(RuleViolation, match=r"200,320,000 pixels; .* scale it down") as refused:
            decoders.convert(kinds.JPEG, FileSource(data))
    finally:
        decoders.close()

    assert refused.value.reason is RejectReason.TOO_MANY_PIXELS
