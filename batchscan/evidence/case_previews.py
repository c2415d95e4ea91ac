"""Previews of our own pictures for `case.html`, made from the file if it still exists."""

from __future__ import annotations

from typing import Final

from batchscan.capture.captured_pictures import make_preview
from batchscan.images.decoding.pool import Decoders

MAX_PREVIEWS: Final = 100
"""Pictures of one pack that are decoded again: each takes up to a second."""


class CasePreviews:
    """Makes previews; must be closed."""

    def __init__(self) -> None:
        self._decoders: Decoders | None = None
        self._left = MAX_PREVIEWS

    def of(self, data: bytes | None, thumbnail: bytes | None) -> bytes | None:
        """A small JPEG of a picture, or its thumbnail from the scan.

        Args:
            data: the picture's file, where it is still there.
            thumbnail: what was kept.
        """
        if data is None or not self._left:
            return thumbnail
        self._left -= 1
        if self._decoders is None:
            self._decoders = Decoders(1)
        preview = make_preview(data, self._decoders)
        return thumbnail if preview is None else preview.jpeg

    def close(self) -> None:
        """End the decoder process, if one was started."""
        if self._decoders is not None:
            self._decoders.close()
