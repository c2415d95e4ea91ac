"""What is taken out of a picture, and what of it stays: every pixel, profile and orientation."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from batchscan.images import kinds
from batchscan.images.headers import claimed_size
from batchscan.images.kinds import ImageFormat
from batchscan.images.metadata.strip import CannotStrip, strip
from batchscan.images.raster import open_raster
from batchscan.images.rules import Size
from tests.support import pictures

SECRET = b"Secret Street 7"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif(orientation: int = 1) -> bytes:
    found = Image.Exif()
    found[0x0112] = orientation
    found[0x010E] = SECRET.decode()
    found.get_ifd(0x8825)[2] = (48.0, 12.0, 0.0)
    return found.tobytes()


def shown(kind: ImageFormat, data: bytes) -> tuple[Any, ...]:
    """All that a decoder shows of a file."""
    opened = open_raster(kind, data)
    frames = []
    for number in range(getattr(opened, "n_frames", 1) if opened.format != "MPO" else 1):
        opened.seek(number)
        opened.load()
        frames.append((opened.mode, opened.size, opened.tobytes(), opened.info.get("duration")))
    return (
        frames,
        opened.info.get("icc_profile"),
        opened.getexif().get(0x0112, 1),
        opened.info.get("transparency"),
        opened.info.get("gamma"),
        opened.info.get("loop"),
    )


def assert_stripped(kind: ImageFormat, data: bytes, orientation: int = 1) -> bytes:
    assert SECRET in data
    found = strip(kind, data, orientation)
    assert SECRET not in found
    assert shown(kind, found) == shown(kind, data)
    assert strip(kind, found, orientation) == found
    # An orientation is metadata, too: what is the same without any is upright.
    assert (strip(kind, found) == found) == (shown(kind, found)[2] == 1)
    return found


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg(orientation, progressive):
    options = {"progressive": progressive, "icc_profile": PROFILE, "exif": exif(orientation)}
    data = pictures.jpeg(comment=SECRET, **options)
    data = pictures.with_xmp(data, pictures.xmp(f"<dc:rights>{SECRET.decode()}</dc:rights>"))
    data = pictures.with_iptc(data, (80, SECRET)) + SECRET * 3

    assert_stripped(kinds.JPEG, data, orientation)


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


@pytest.mark.parametrize("marker", [0xE1, 0xE2, 0xE3, 0xE4, 0xEB, 0xEC, 0xED, 0xEF, 0xFE])
def test_every_other_block_of_a_jpeg(marker):
    plain = pictures.jpeg()
    data = plain[:2] + segment(marker, b"JP\0\0" + SECRET) + plain[2:]

    assert strip(kinds.JPEG, data) == strip(kinds.JPEG, plain)
    assert_stripped(kinds.JPEG, data)


def test_the_thumbnail_in_a_jfif_header_goes():
    plain = pictures.jpeg()
    thumbnail = b"JFIF\0\1\1\0\0\1\0\1\5\1" + SECRET
    rest = plain[2 + 2 + int.from_bytes(plain[4:6], "big") :]

    assert_stripped(kinds.JPEG, plain[:2] + segment(0xE0, thumbnail) + rest)


def test_colours_of_cmyk_keep_their_adobe_marker():
    data = pictures.encoded(pictures.image().convert("CMYK"), "JPEG", comment=SECRET)

    assert_stripped(kinds.JPEG, data)


def test_the_other_pictures_of_a_phone_s_file_go():
    data = pictures.mpo() + SECRET
    found = strip(kinds.JPEG, data)

    assert len(found) < len(data) * 2 / 3
    assert open_raster(kinds.JPEG, found).tobytes() == open_raster(kinds.JPEG, data).tobytes()


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_png_before_and_behind_the_pixels(orientation):
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", SECRET.decode())
    info.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    data = pictures.png(pnginfo=info, icc_profile=PROFILE, exif=exif(orientation), dpi=(300, 300))
    late = chunk(b"tEXt", b"Comment\0" + SECRET) + chunk(b"prVt", SECRET)

    assert_stripped(kinds.PNG, data[:-12] + late + data[-12:] + SECRET, orientation)


def chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("orientation", [1, 8])
def test_webp(lossless, orientation):
    options: dict[str, Any] = {"exif": exif(orientation), "icc_profile": PROFILE, "xmp": SECRET}

    assert_stripped(kinds.WEBP, pictures.webp(lossless=lossless, **options), orientation)


def test_animations_stay_animations():
    frames = [pictures.image(seed=seed) for seed in range(3)]
    options = {"save_all": True, "append_images": frames[1:], "duration": [40, 80, 120], "loop": 0}
    gif = pictures.encoded(frames[0], "GIF", comment=SECRET, **options)
    webp = pictures.encoded(frames[0], "WEBP", exif=exif(), xmp=SECRET, **options)
    apng = pictures.encoded(frames[0], "PNG", exif=exif(), **options)

    assert_stripped(kinds.GIF, gif)
    assert_stripped(kinds.WEBP, webp)
    assert_stripped(kinds.PNG, apng)


def test_gif_with_application_blocks_and_a_trailer():
    data = pictures.gif()
    block = b"\x21\xff\x0bXMP DataXMP" + bytes((len(SECRET),)) + SECRET + b"\0"

    assert_stripped(kinds.GIF, data[:-1] + block + b";" + SECRET)


def test_bmp_and_ico_with_bytes_behind_and_between():
    bmp = pictures.bmp() + SECRET
    gap = bytearray(pictures.bmp())
    offset = int.from_bytes(gap[10:14], "little")
    gap[10:14] = (offset + len(SECRET)).to_bytes(4, "little")
    ico = pictures.ico()

    assert_stripped(kinds.BMP, bmp)
    assert_stripped(kinds.BMP, bytes(gap[:offset]) + SECRET + bytes(gap[offset:]))
    assert_stripped(kinds.ICO, ico + SECRET)


def plain() -> dict[ImageFormat, bytes]:
    """Files without metadata."""
    return {
        kinds.JPEG: pictures.jpeg(),
        kinds.PNG: pictures.png(),
        kinds.GIF: pictures.gif(),
        kinds.BMP: pictures.bmp(),
        kinds.WEBP: pictures.webp(),
        kinds.ICO: pictures.ico(),
    }


def test_a_plain_file_is_not_changed():
    for kind, data in plain().items():
        assert strip(kind, data) == data, kind.name


def test_a_plain_file_is_not_copied():
    files = plain()
    for kind in (kinds.JPEG, kinds.PNG, kinds.GIF, kinds.BMP):
        assert strip(kind, files[kind]) is files[kind], kind.name


def test_what_only_a_decoder_understands_is_said_to_be_so():
    jpeg = pictures.jpeg()
    for kind, data in (
        (kinds.JPEG, jpeg[:2] + b"\xff\xe1\xff\xff" + jpeg[2:]),
        (kinds.JPEG, jpeg[:2] + segment(0xF0, b"?") + jpeg[2:]),
        (kinds.PNG, pictures.png()[:-12] + chunk(b"NEWc", b"")),
        (kinds.BMP, pictures.bmp()[:-5]),
        (kinds.ICO, pictures.ico()[:10]),
    ):
        with pytest.raises(CannotStrip):
            strip(kind, data)


MAX_PIXELS = 1_000_000
ORIGINALS = {
    kinds.JPEG: pictures.with_xmp(pictures.jpeg(24, 16, exif=exif(6)), b"<x/>"),
    kinds.PNG: pictures.png(24, 16, exif=exif(6)),
    kinds.GIF: pictures.animated_gif(24, 16),
    kinds.BMP: pictures.bmp(24, 16),
    kinds.WEBP: pictures.webp(24, 16, exif=exif(6)),
    kinds.ICO: pictures.ico(16, 16),
}


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from(sorted(ORIGINALS, key=lambda kind: kind.name)),
    cuts=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=3)), max_size=3),
    keep=st.floats(0.1, 1),
)
def test_damage_never_raises_anything_else_nor_changes_what_decodes(kind, cuts, keep):
    data = bytearray(ORIGINALS[kind])
    for where, what in cuts:
        at = int(where * len(data))
        data[at : at + len(what)] = what
    damaged = bytes(data[: max(2, int(keep * len(data)))])
    try:
        claimed = claimed_size(kind, damaged) or Size(*open_raster(kind, damaged).size)
        # Four damaged bytes may claim 4 gigapixels, of which this process would be killed; a
        # judge refuses such a file before it decodes a pixel.
        before = shown(kind, damaged)[0] if claimed.pixels < MAX_PIXELS else None
    except Exception:  # noqa: BLE001 - such a file is never stripped
        before = None
    try:
        found = strip(kind, damaged, 6)
    except CannotStrip:
        return
    except Exception:
        if before is not None:
            raise
        return
    if before is not None:
        assert shown(kind, found)[0][0] == before[0]


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(st.binary(min_size=8, max_size=40), min_size=1, max_size=4),
    orientation=st.integers(1, 8),
)
def test_no_text_that_was_put_into_a_jpeg_or_png_is_left(texts, orientation):
    jpeg, png = pictures.jpeg(exif=exif(orientation)), pictures.png(exif=exif(orientation))
    for number, text in enumerate(texts):
        marked = b"\x01note\x02" + text
        jpeg = jpeg[:2] + segment((0xE1, 0xFE, 0xED, 0xEB)[number % 4], marked) + jpeg[2:]
        png = png[:33] + chunk((b"tEXt", b"zTXt", b"iTXt", b"prVt")[number % 4], marked) + png[33:]

    for kind, data in ((kinds.JPEG, jpeg), (kinds.PNG, png)):
        found = strip(kind, data, orientation)
        assert b"\x01note\x02" not in found
        assert found == strip(kind, found, orientation)
        opened = Image.open(io.BytesIO(found))
        opened.load()
        assert opened.getexif().get(0x0112, 1) == orientation
