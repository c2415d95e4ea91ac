import hashlib
import io
import random
import sys
import threading

import pytest
from PIL import Image as Pillow

from batchscan.images.decoding.pool import Decoders
from batchscan.images.preview import Preview, PreviewMaker
from batchscan.images.rules import Accepted
from batchscan.images.thumbnail import EDGE, ENOUGH, thumbnail
from batchscan.model import Image, Provenance, Stat
from batchscan.util.weighted_semaphore import WeightedSemaphore
from tests.support import pictures

LIMIT = 75_000_000
RED, BLUE = (255, 0, 0), (0, 0, 255)


@pytest.fixture
def portray(decoders, judge):
    """Portray bytes that the judge accepts, as what it says they are."""

    def portraying(data: bytes, name: str) -> Preview:
        verdict = judge.judge(data, name)
        assert isinstance(verdict, Accepted)
        stat, digest = Stat(len(data), 0, 0), hashlib.sha256(data).hexdigest()
        image = Image(
            name, stat, data, digest, verdict.format, verdict.width, verdict.height,
            verdict.content_type, name, verdict.warnings,
        )  # fmt: skip
        return PreviewMaker(WeightedSemaphore(LIMIT), decoders, LIMIT).make_preview(image)

    return portraying


def opened(data: bytes | None) -> Pillow.Image:
    assert data is not None
    assert len(data) <= 2 * ENOUGH
    image = Pillow.open(io.BytesIO(data), formats=("JPEG",))
    assert max(image.size) <= EDGE
    assert not {"exif", "xmp", "icc_profile", "comment"} & set(image.info)
    return image.convert("RGB")


def near(image: Pillow.Image, at: tuple[int, int], colour: tuple[int, ...]) -> bool:
    found = image.getpixel(at)
    assert isinstance(found, tuple)
    return all(abs(a - b) < 40 for a, b in zip(found, colour, strict=True))


def halves(mode: str = "RGB", size: tuple[int, int] = (300, 150)) -> Pillow.Image:
    """Red on the left, blue on the right."""
    image = Pillow.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    return image.convert(mode)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jpg", pictures.encoded(halves(), "JPEG")),
        ("cmyk.jpg", pictures.encoded(halves("CMYK"), "JPEG")),
        ("progressive.jpg", pictures.encoded(halves(), "JPEG", progressive=True)),
        ("a.png", pictures.encoded(halves(), "PNG")),
        ("palette.png", pictures.encoded(halves("P"), "PNG")),
        ("a.gif", pictures.encoded(halves("P"), "GIF")),
        ("a.bmp", pictures.encoded(halves(), "BMP")),
        ("a.webp", pictures.encoded(halves(), "WEBP")),
    ],
)
def test_each_format_becomes_a_small_jpeg_of_the_same_shape(portray, name, data):
    small = opened(portray(data, name).thumbnail)

    assert small.size == (96, 48)
    assert near(small, (10, 24), RED)
    assert near(small, (85, 24), BLUE)


def test_icons_and_small_pictures_keep_their_size(portray):
    assert opened(portray(pictures.ico(), "a.ico").thumbnail).size == (32, 32)
    assert opened(portray(pictures.png(1, 1), "a.png").thumbnail).size == (1, 1)


def test_a_very_long_picture_is_one_pixel_high(portray):
    data = pictures.encoded(Pillow.new("L", (60_000, 3), 255), "PNG")

    assert opened(portray(data, "a.png").thumbnail).size == (96, 1)


def test_grey_of_16_bits_keeps_its_tones(portray):
    data = pictures.encoded(Pillow.new("I;16", (50, 50), 0x8000), "PNG")

    assert near(opened(portray(data, "a.png").thumbnail), (20, 20), (128, 128, 128))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_shows_neutral_ground_and_no_colour_of_what_is_hidden(portray, mode):
    image = halves("RGBA", (900, 900))
    image.putalpha(0)
    image.paste((0, 0, 0, 255), (300, 300, 600, 600))
    small = opened(portray(pictures.encoded(image.convert(mode), "PNG"), "a.png").thumbnail)

    assert near(small, (5, 50), (176, 176, 176))
    assert near(small, (48, 48), (0, 0, 0))


def test_of_an_animation_the_first_frame_is_shown(portray):
    frames = [Pillow.new("P", (64, 48), 0) for _ in range(2)]
    frames[0].putpalette((*RED, *BLUE))
    frames[1] = Pillow.new("P", (64, 48), 1)
    frames[1].putpalette((*RED, *BLUE))
    data = pictures.encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])

    assert near(opened(portray(data, "a.gif").thumbnail), (20, 20), RED)


@pytest.mark.parametrize(
    ("orientation", "left_is_at"),
    [(1, "left"), (2, "right"), (3, "right"), (4, "left"), (5, "top"), (6, "top"), (7, "bottom"),
     (8, "bottom")],
)  # fmt: skip
def test_pictures_are_as_they_were_taken(portray, orientation, left_is_at):
    data = pictures.with_exif(pictures.encoded(halves(), "JPEG"), {274: orientation})
    small = opened(portray(data, "a.jpg").thumbnail)
    width, height = small.size

    assert (width, height) == ((48, 96) if left_is_at in ("top", "bottom") else (96, 48))
    places = {
        "left": (5, height // 2), "right": (width - 5, height // 2),
        "top": (width // 2, 5), "bottom": (width // 2, height - 5),
    }  # fmt: skip
    assert near(small, places[left_is_at], RED)


def test_a_picture_that_lies_about_its_orientation_is_shown_as_it_is(portray):
    data = pictures.with_exif(pictures.encoded(halves(), "JPEG"), {274: 200})

    assert opened(portray(data, "a.jpg").thumbnail).size == (96, 48)


def test_a_large_jpeg_is_decoded_at_the_smallest_scale_that_suffices():
    data = pictures.encoded(Pillow.linear_gradient("L").resize((2_000, 1_000)), "JPEG")
    image = Pillow.open(io.BytesIO(data))

    assert opened(thumbnail(image)).size == (96, 48)
    assert image.size == (250, 125)  # an eighth, the smallest that JPEG has


def test_quality_falls_until_a_thumbnail_is_small():
    chance = random.Random(1)
    noise = Pillow.frombytes("RGB", (96, 96), chance.randbytes(96 * 96 * 3))
    dots = Pillow.frombytes("1", (96, 96), chance.randbytes(96 * 96 // 8)).convert("RGB")

    assert len(pictures.encoded(noise, "JPEG", quality=60)) > 2 * ENOUGH
    assert 0 < len(thumbnail(noise)) <= ENOUGH
    assert ENOUGH < len(thumbnail(dots)) <= 2 * ENOUGH


def test_nothing_of_the_file_but_its_pixels_gets_into_the_thumbnail(portray):
    data = pictures.with_xmp(
        pictures.with_exif(pictures.jpeg(), {315: "a-secret-name"}), b"a-secret-name"
    )
    portrait = portray(data, "a.jpg")

    assert portrait.provenance.creator == "a-secret-name"
    assert b"secret" not in (portrait.thumbnail or b"")


def test_a_jpeg_without_its_end_marker_is_shown(portray):
    data = pictures.encoded(halves(), "JPEG")[:-2]

    assert near(opened(portray(data, "a.jpg").thumbnail), (85, 24), BLUE)


def test_pixels_are_decoded_only_as_the_allowance_has_room(decoders):
    pixels = WeightedSemaphore(64 * 48)
    data = pictures.png()
    image = Image("a.png", Stat(len(data), 0, 0), data, "", "png", 64, 48, "", "a.png")
    previews: list[Preview] = []
    preview_maker = PreviewMaker(pixels, decoders, LIMIT)
    thread = threading.Thread(target=lambda: previews.append(preview_maker.make_preview(image)))

    with pixels.hold(1):
        thread.start()
        thread.join(0.2)
        assert not previews
    thread.join(10)

    assert previews[0].thumbnail


@pytest.mark.parametrize("form", ["jpeg", "png", "gif", "bmp", "webp", "ico", "raw"])
@pytest.mark.parametrize("data", [b"", b"nothing", pictures.png()[:-60], pictures.jpeg()[:300]])
def test_what_cannot_be_decoded_has_no_thumbnail_and_raises_nothing(decoders, form, data):
    image = Image("a", Stat(len(data), 0, 0), data, "", form, 64, 48, "", "a")

    assert PreviewMaker(WeightedSemaphore(LIMIT), decoders, LIMIT).make_preview(image) == Preview(
        None, Provenance()
    )


def test_camera_raw_shows_the_preview_that_the_camera_made(portray):
    preview = pictures.encoded(halves(), "JPEG")

    assert opened(portray(pictures.with_preview(pictures.dng(), preview), "a.dng").thumbnail).size == (96, 48)  # fmt: skip
    upright = portray(pictures.with_preview(pictures.dng(t274=6), preview), "a.dng").thumbnail
    assert near(opened(upright), (24, 5), RED)
    assert opened(upright).size == (48, 96)


def test_camera_raw_without_a_preview_or_with_a_huge_one_has_no_thumbnail(portray, decoders):
    portrait = portray(pictures.dng(t315=b"Ann\0"), "a.dng")
    large = pictures.with_preview(pictures.dng(), pictures.encoded(halves(), "JPEG"))

    assert portrait == Preview(None, Provenance("Ann"))
    assert decoders.preview_raw(large, max_pixels=300 * 150)
    assert decoders.preview_raw(large, max_pixels=300 * 150 - 1) is None


def test_a_raw_decoder_that_dies_costs_the_thumbnail_and_nothing_else():
    dying = Decoders(1, command=[sys.executable, "-c", "import os; os.abort()"])
    data = pictures.dng(t315=b"Ann\0")
    image = Image("a.dng", Stat(len(data), 0, 0), data, "", "raw", 64, 48, "", "a.dng")

    assert PreviewMaker(WeightedSemaphore(1), dying, 1).make_preview(image) == Preview(
        None, Provenance("Ann")
    )


def test_thumbnails_come_out_of_the_ledgers_columns_as_they_went_in():
    portrait = Preview(b"webp", Provenance("Ann", "© \u202e", None, "2026"))

    assert Preview.stored(*portrait.columns()) == portrait
    assert Preview.stored(None, b"{nonsense") == Preview(None, Provenance())
