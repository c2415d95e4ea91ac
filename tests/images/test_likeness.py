"""How alike two pictures are: versions of one are, others are not."""

import io
from contextlib import closing

import pytest
from PIL import Image

from batchscan.enums import RejectReason
from batchscan.images import kinds
from batchscan.images.decoding.pool import Decoders
from batchscan.images.likeness import fingerprint, likeness
from batchscan.images.rules import RuleViolation
from batchscan.images.thumbnail import EDGE
from batchscan.rechecked import ALIKE
from tests.support import pictures
from tests.support.pictures import image


def mark(picture: Image.Image) -> bytes:
    return fingerprint(picture)


def alike(one: bytes, other: bytes) -> float:
    share = likeness(one, other)
    assert share is not None
    return share


def detailed(seed: int) -> Image.Image:
    """More than a soft pattern: noise of large grains over it."""
    grains = Image.effect_noise((40, 30), 90).resize((400, 300), Image.Resampling.NEAREST)
    return Image.blend(image(400, 300, seed), grains.convert("RGB"), 0.4)


VERSIONS = {
    "smaller": lambda picture: picture.resize((120, 90)),
    "larger": lambda picture: picture.resize((900, 700)),
    "grey": lambda picture: picture.convert("L").convert("RGB"),
    "brighter": lambda picture: picture.point(lambda value: min(255, value + 25)),
}


@pytest.mark.parametrize(
    "make", [lambda: image(320, 240, 7), lambda: detailed(7)], ids=["smooth", "detailed"]
)
@pytest.mark.parametrize("version", VERSIONS)
def test_versions_of_a_picture_are_alike(make, version):
    picture = make()

    assert alike(mark(picture), mark(VERSIONS[version](picture))) > ALIKE


def test_different_pictures_are_not_alike():
    marks = [mark(image(320, 240, seed)) for seed in range(12)] + [mark(detailed(3))]

    shares = [alike(a, b) for n, a in enumerate(marks) for b in marks[:n]]
    assert max(shares) < ALIKE
    assert sorted(shares)[len(shares) // 2] < 0.2


def test_plain_surfaces_differ_by_their_colour():
    white, grey, black = (mark(Image.new("RGB", (90, 90), (v, v, v))) for v in (255, 250, 0))

    assert alike(white, grey) > 0.9
    assert alike(white, black) == 0.0


@pytest.mark.parametrize(
    "other", [None, b"", b"\x02" + bytes(804), b"short"], ids=["none", "empty", "newer", "short"]
)
def test_what_is_no_fingerprint_of_ours_is_not_compared(other):
    assert likeness(mark(image()), other) is None


def test_a_decoder_process_looks_at_anything_and_keeps_only_pixels():
    with closing(Decoders(1)) as decoders:
        looks = [
            decoders.fingerprint(kind, data)
            for kind, data in (
                (kinds.PNG, pictures.png(400, 300, 5)),
                (kinds.WEBP, pictures.webp(200, 150, 5)),
                (kinds.GIF, pictures.gif(400, 300, 5)),
            )
        ]
        with pytest.raises(RuleViolation) as broken:
            decoders.fingerprint(kinds.JPEG, pictures.jpeg()[:300])

    assert broken.value.reason is RejectReason.CORRUPT
    assert (looks[0].width, looks[0].height) == (400, 300)
    for look in looks:
        assert alike(look.fingerprint, looks[0].fingerprint) > ALIKE
        with Image.open(io.BytesIO(look.preview)) as small:
            assert small.format == "JPEG"
            assert max(small.size) == EDGE
