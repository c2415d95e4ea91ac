"""What pictures are compared by, however they were decoded and made."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from batchscan.images.fingerprints import fingerprint_of, fingerprint_of_jpeg, preview_of
from batchscan.renditions.fingerprint import distance
from batchscan.renditions.rule import likeness
from tests.support.photographs import encoded, photograph, resized

SCENE = photograph(3, (900, 600))


@pytest.mark.parametrize("made", [896, 700, 512, 300])
def test_a_picture_that_was_made_smaller_to_be_sent_is_compared_as_a_whole(made):
    sent = encoded(resized(SCENE, made), quality=90)

    found = fingerprint_of_jpeg(sent, SCENE.size, "")

    whole = fingerprint_of(SCENE, SCENE.size)
    assert found is not None
    assert whole is not None
    assert (found.width, found.height) == SCENE.size
    assert distance(found.hash, whole.hash) <= 4
    assert likeness(found, whole).same


def test_a_preview_shows_the_picture_in_its_colours_and_shape():
    preview = preview_of(fingerprint_of(SCENE, SCENE.size))

    assert preview is not None
    assert len(preview) <= 2_000
    shown = Image.open(io.BytesIO(preview))
    assert (shown.format, shown.size) == ("JPEG", (72, 48))
    small = SCENE.resize(shown.size, Image.Resampling.LANCZOS)
    pairs = zip(shown.convert("RGB").tobytes(), small.tobytes(), strict=True)
    assert sum(abs(one - other) for one, other in pairs) / (72 * 48 * 3) < 10
    assert preview_of(None) is None
