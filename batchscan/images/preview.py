"""Previews of pictures with matches for reports: a thumbnail, and the provenance.

Made from the bytes in memory after the answer: a report does not read the files again, which may
have moved, and never shows pictures from the web.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec
from PIL import Image as Pillow

from batchscan.images import kinds
from batchscan.images.bare import bare_copies
from batchscan.images.decoded import DecodedCache
from batchscan.images.decoding.pool import Decoders
from batchscan.images.decoding.process import DecoderDied
from batchscan.images.end_markers import END, has_end
from batchscan.images.headers import claimed_size
from batchscan.images.kinds import ImageFormat
from batchscan.images.metadata import provenance
from batchscan.images.raster import open_raster, silence_warnings
from batchscan.images.thumbnail import thumbnail
from batchscan.model import STRIPPED, Image, Provenance
from batchscan.util.weighted_semaphore import WeightedSemaphore

_RASTERS: Final = {kind.format: kind for kind in kinds.RASTERS}
NOTHING: Final = Provenance()


@dataclass(frozen=True, slots=True)
class Preview:
    """A thumbnail and the provenance of a picture."""

    thumbnail: bytes | None = field(repr=False)  # a small JPEG file
    provenance: Provenance

    @classmethod
    def stored(cls, thumbnail: bytes | None, written: bytes) -> Preview:
        """Make one from the ledger's columns."""
        try:
            return cls(thumbnail, msgspec.json.decode(written, type=Provenance))
        except msgspec.MsgspecError:
            return cls(thumbnail, NOTHING)

    def columns(self) -> tuple[bytes | None, bytes]:
        """The ledger's columns: the thumbnail, and the provenance as JSON."""
        return self.thumbnail, msgspec.json.encode(self.provenance)


class PreviewMaker:
    """Makes previews of accepted pictures; thread-safe."""

    def __init__(
        self,
        pixels: WeightedSemaphore,
        decoders: Decoders,
        max_pixels: int,
        decoded: DecodedCache | None = None,
    ) -> None:
        """Prepare.

        Args:
            pixels: shared with the judge, as a common bound on decoded pixels.
            decoders: shared with the judge; closed by its owner.
            max_pixels: of a preview in camera RAW.
            decoded: shared with the judge, for the pixels that it decoded.
        """
        self._decoded = decoded or DecodedCache()
        self._pixels = pixels
        self._decoders = decoders
        self._max_pixels = max_pixels
        silence_warnings()

    def make_preview(self, image: Image) -> Preview:
        """Make a picture's preview; blocking. Missing parts are None, and nothing is raised."""
        preview = self._of_sent(image)
        return (
            preview if image.provenance is None else replace(preview, provenance=image.provenance)
        )

    def _of_sent(self, image: Image) -> Preview:
        seen = image.sent or image
        kind = _RASTERS.get(seen.format)
        if kind is None:
            return Preview(self._preview(image.data), read_provenance(image.format, image.data))
        claimed = claimed_size(kind, image.data)
        weight = max(seen.width * seen.height, claimed.pixels if claimed else 0)
        with self._pixels.hold(weight):
            return _raster(kind, image.data, self._pixels_of(image))

    def _pixels_of(self, image: Image) -> Pillow.Image | None:
        """The pixels decoded by the judge, if what was sent has the same pixels as the file."""
        converted = image.sent is not None and image.sent.recipe != STRIPPED
        return None if converted else self._decoded.take(image.sha256)

    def _preview(self, data: bytes) -> bytes | None:
        try:
            return self._decoders.preview_raw(data, max_pixels=self._max_pixels)
        except DecoderDied:
            return None


def read_provenance(form: str, data: bytes) -> Provenance:
    """Read the provenance of an accepted picture ("jpeg", "raw"...); nothing is raised."""
    if form == kinds.DNG.format:
        preview = provenance.raf_preview(data)
        return read_provenance(kinds.JPEG.format, preview) if preview else provenance.of_raw(data)
    kind = _RASTERS.get(form)
    # The decoders' boundary, as in `raster`: their exceptions are undocumented.
    with suppress(Exception):
        if kind is not None:
            opened = open_raster(kind, data)
            if kind is kinds.PNG:
                opened.load()  # metadata may follow the pixels
            return provenance.of_info(opened.info)
    return NOTHING


def _raster(kind: ImageFormat, data: bytes, decoded: Pillow.Image | None) -> Preview:
    if kind is kinds.JPEG and not has_end(data):
        data += END  # it was accepted with every pixel there
    portrait = _portrait(kind, data, decoded)
    if portrait.thumbnail is not None:
        return portrait
    for copy in bare_copies(kind, data):  # its metadata may be damaged
        preview = _portrait(kind, copy)
        if preview.thumbnail is not None:
            written = preview.provenance if portrait.provenance == NOTHING else portrait.provenance
            return Preview(preview.thumbnail, written)
    return portrait


def _portrait(kind: ImageFormat, data: bytes, decoded: Pillow.Image | None = None) -> Preview:
    small = None
    with suppress(Exception):  # as above
        opened = open_raster(kind, data)
        with suppress(Exception):
            small = thumbnail(opened, decoded=decoded)
        return Preview(small, provenance.of_info(opened.info))
    return Preview(None, NOTHING)
