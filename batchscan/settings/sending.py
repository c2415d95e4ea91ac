"""What is sent for a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from batchscan.settings.fields import setting
from batchscan.settings.types import ChoiceType

Convert = Literal["auto", "never"]
Metadata = Literal["strip", "keep"]


@dataclass(frozen=True, slots=True)
class Send:
    """What is sent for a picture."""

    convert: Convert = setting(
        "auto",
        "auto, or never: reject what the API does not take (HEIC, TIFF, PSD, big RAW...)",
        ChoiceType(get_args(Convert)),
        flag="--convert",
    )
    metadata: Metadata = setting(
        "strip",
        "strip, or keep: also send EXIF, XMP, IPTC and comments, with place, owner and camera",
        ChoiceType(get_args(Metadata)),
        flag="--metadata",
    )
