from __future__ import annotations

import pytest
from PIL import Image

from batchscan.demo.artwork import artwork
from batchscan.emulator.matching.hashes import frequency_hash, gradient_hash

# Made with `phash` and `dhash` of imagehash 4.3.2 and SciPy 1.17.
KNOWN = [
    (0xDAC3690DC76B18F0, 0x6179916868313B1C),
    (0xE7D037AC5692A90E, 0x0404494923A36F4C),
    (0xB4D9D989A83C5674, 0x30F82C2CAD8C2C2C),
    (0x946C72955C6CA7D2, 0x3131C13138CCDC3C),
]


@pytest.mark.parametrize(("seed", "known"), list(enumerate(KNOWN)))
def test_bits_are_those_of_imagehash(seed, known):
    grey = artwork(seed).convert("L")

    assert (frequency_hash(grey), gradient_hash(grey)) == known


def test_a_flat_picture_has_one_frequency_and_no_gradient():
    grey = Image.new("L", (50, 40), 90)

    assert (frequency_hash(grey), gradient_hash(grey)) == (1 << 63, 0)
