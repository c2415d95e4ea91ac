"""Sound pixels behind damaged metadata are accepted; damaged pixels are no better than before."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageCms, PngImagePlugin

from batchscan.enums import RejectReason
from batchscan.images import kinds, raster
from batchscan.images.bare import bare_copies
from batchscan.images.judge import Judge
from batchscan.images.preview import PreviewMaker
from batchscan.images.rules import Accepted, RejectedBytes, Rules
from batchscan.model import Image, Stat
from batchscan.util.weighted_semaphore import WeightedSemaphore
from tests.support import pictures

LIMIT = 75_000_000
JUDGE = Judge(Rules())
PNG_START = 8 + 25  # the signature and IHDR
EXIF = Pillow.Exif()
EXIF[0x0112] = 6
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def chunk(name: bytes, content: bytes, wrong: int = 0) -> bytes:
    crc = (zlib.crc32(name + content) ^ wrong).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + name + content + crc


def png_with(*chunks: bytes, data: bytes | None = None) -> bytes:
    data = data or pictures.png()
    return data[:PNG_START] + b"".join(chunks) + data[PNG_START:]


def png_with_last(*chunks: bytes) -> bytes:
    data = pictures.png()
    return data[:-12] + b"".join(chunks) + data[-12:]


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


def jpeg_with(*segments: bytes, **options) -> bytes:
    data = pictures.jpeg(**options)
    return data[:2] + b"".join(segments) + data[2:]


def gif_with(*blocks: bytes) -> bytes:
    data = pictures.gif()
    at = 13 + (3 << ((data[10] & 7) + 1))
    return data[:at] + b"".join(blocks) + data[at:]


def webp_cut_in_exif() -> bytes:
    data = pictures.webp(exif=EXIF.tobytes(), xmp=b"<x/>" * 50)
    return data[:-30]


def ico_with(png: bytes) -> bytes:
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, 64, 48, 0, 0, 1, 32, len(png), 22) + png


SHORT = (b"pHYs", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"eXIf", b"tIME", b"tRNS", b"acTL", b"zTXt")
DAMAGED = {
    **{f"crc-{name.decode()}.png": png_with(chunk(name, b"a\0bcdefgh", 1))
       for name in (*SHORT, b"tEXt", b"iTXt", b"prVt")},
    **{f"last-{name.decode()}.png": png_with_last(chunk(name, b"a\0bcdefgh", 1))
       for name in (b"tEXt", b"tIME", b"eXIf")},
    "short-pHYs.png": png_with(chunk(b"pHYs", b"\0\0\1")),
    "short-gAMA.png": png_with(chunk(b"gAMA", b"\0")),
    "short-cHRM.png": png_with(chunk(b"cHRM", bytes(7))),
    "short-sRGB.png": png_with(chunk(b"sRGB", b"")),
    "short-acTL.png": png_with(chunk(b"acTL", b"\0")),
    "last-short-pHYs.png": png_with_last(chunk(b"pHYs", b"\0\0\1")),
    "profile.png": png_with(chunk(b"iCCP", b"name\0\0no zlib")),
    "profile-method.png": png_with(chunk(b"iCCP", b"name\0\7abc")),
    "text.png": png_with(chunk(b"zTXt", b"name\0\7abc")),
    "photoshop.jpg": jpeg_with(segment(0xED, b"Photoshop 3.0\0008BIM\x04\x04")),
    "adobe.jpg": jpeg_with(segment(0xEE, b"Adobe\0")),
    "profile.jpg": jpeg_with(segment(0xE2, b"ICC_PROFILE\0\1")),
    "profile-lost.jpg": jpeg_with(segment(0xE2, b"ICC_PROFILE\0\1\3" + PROFILE)),
    "control.gif": gif_with(b"\x21\xf9\x01\0\0"),
    "exif-cut.webp": webp_cut_in_exif(),
    "entry.ico": ico_with(png_with(chunk(b"tEXt", b"a\0b", 1))),
    "entry-short.ico": ico_with(png_with(chunk(b"pHYs", b"\0"))),
}  # fmt: skip


def judged(data: bytes, name: str) -> Accepted | RejectedBytes:
    return JUDGE.judge(data, name)


def has_preview(data: bytes, verdict: Accepted, decoders) -> bool:
    image = Image(
        "/a", Stat(len(data), 0, 0), data, hashlib.sha256(data).hexdigest(), verdict.format,
        verdict.width, verdict.height, verdict.content_type, "a", verdict.warnings,
    )  # fmt: skip
    return (
        PreviewMaker(WeightedSemaphore(LIMIT), decoders, LIMIT).make_preview(image).thumbnail
        is not None
    )


@pytest.mark.parametrize("name", DAMAGED)
def test_sound_pixels_behind_damaged_metadata_are_accepted_and_get_a_preview(name, decoders):
    verdict = judged(DAMAGED[name], name)

    assert isinstance(verdict, Accepted), verdict
    assert (verdict.width, verdict.height) == (64, 48)
    assert verdict.warnings == ("metadata_damaged",)
    assert has_preview(DAMAGED[name], verdict, decoders)


@pytest.mark.parametrize(
    "segments",
    [
        (segment(0xE1, b"Exif\0\0"),),
        (segment(0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff"),),
        (segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<broken"),),
        (segment(0xE2, b"MPF\0II*\0\x08\0\0\0\xff"),),
        (segment(0xE0, b"JF"),),
        (segment(0xFE, b""),),
        (segment(0xED, b"Ph"),),
        (segment(0xED, b"Photoshop 3.0\0008BIM\x04\x04\0"),),
        (segment(0xED, b"Photoshop 3.0\0008BIM\x03\xed\0\0\0\0\0\x10\0\1"),),
    ],
)
def test_other_damage_in_a_jpegs_segments_is_accepted(segments, decoders):
    verdict = judged(jpeg_with(*segments), "a.jpg")

    assert isinstance(verdict, Accepted), verdict
    assert set(verdict.warnings) <= {"metadata_damaged", "later_frames_damaged"}


def test_orientation_survives_the_damage_beside_it(decoders):
    data = jpeg_with(
        segment(0xED, b"Photoshop 3.0\0008BIM\x04"), segment(0xE1, b"Exif\0\0" + EXIF.tobytes()[6:])
    )
    verdict = judged(data, "a.jpg")
    assert isinstance(verdict, Accepted)
    image = Image(
        "/a.jpg", Stat(len(data), 0, 0), data, "0" * 64, "jpeg", 64, 48, "image/jpeg", "a.jpg",
        verdict.warnings,
    )  # fmt: skip
    small = PreviewMaker(WeightedSemaphore(LIMIT), decoders, LIMIT).make_preview(image).thumbnail

    assert small is not None
    assert Pillow.open(io.BytesIO(small)).size == (48, 64)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP"])
def test_a_copy_has_the_pixels_of_its_original(form):
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "me")
    options = {"pnginfo": info} if form == "PNG" else {"comment": "by me"}
    data = pictures.encoded(pictures.image(), form, exif=EXIF, icc_profile=PROFILE, **options)
    kind = {kind.format: kind for kind in kinds.RASTERS}[form.lower()]
    copies = list(bare_copies(kind, data))

    assert copies or form == "GIF"
    for copy in copies:
        assert len(copy) < len(data)
        ours, theirs = raster.open_raster(kind, copy), raster.open_raster(kind, data)
        assert ours.convert("RGBA").tobytes() == theirs.convert("RGBA").tobytes()
        assert not {"icc_profile", "comment", "xmp", "Author"} & set(ours.info)


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Each chunk's name, and where its content begins and its checksum ends."""
    at = 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], at + 8, at + 12 + length
        at += 12 + length


def rich_png() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "me", zip=True)
    info.add_text("Title", "a picture")
    info.add_itxt("Comment", "größer", "de", "Kommentar")
    options = {"pnginfo": info, "icc_profile": PROFILE, "exif": EXIF, "dpi": (300, 300)}
    palette = pictures.image().quantize(16)
    data = pictures.encoded(palette, "PNG", transparency=3, **options)
    return png_with(chunk(b"gAMA", struct.pack(">I", 45455)), data=data)


RICH_PNG = rich_png()
ANCILLARY = [at for name, *ends in png_chunks(RICH_PNG) if name[0] & 0x20 for at in range(*ends)]
# But IEND, whose checksum no decoder looks at.
CRITICAL = [
    at
    for name, *ends in png_chunks(RICH_PNG)
    if name in (b"IHDR", b"PLTE", b"IDAT")
    for at in range(*ends)
]
flips = st.integers(1, 255)


@given(st.lists(st.tuples(st.sampled_from(ANCILLARY), flips), min_size=1, max_size=8))
def test_any_damage_in_a_pngs_ancillary_chunks_is_passed_over(flipped):
    data = bytearray(RICH_PNG)
    for at, bits in flipped:
        data[at] ^= bits
    verdict = judged(bytes(data), "a.png")

    assert isinstance(verdict, Accepted), verdict
    assert set(verdict.warnings) <= {"metadata_damaged"}
    assert verdict.warnings or bytes(data) == RICH_PNG


@given(st.sampled_from(CRITICAL), flips, st.booleans())
def test_damage_in_a_pngs_critical_chunks_is_refused_with_or_without_other_damage(at, bits, other):
    data = bytearray(RICH_PNG)
    data[at] ^= bits
    if other:
        data[ANCILLARY[-1]] ^= 1
    verdict = judged(bytes(data), "a.png")

    assert isinstance(verdict, RejectedBytes)
    assert verdict.reason in {RejectReason.CORRUPT, RejectReason.TOO_MANY_PIXELS}


def jpeg_parts(data: bytes) -> tuple[list[int], int]:
    """Where the contents of application segments and comments are, and where the scan begins."""
    found: list[int] = []
    at = 2
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xE1 <= data[at + 1] <= 0xED or data[at + 1] == 0xFE:
            found += range(at + 4, end)
        at = end
    return found, at


RICH_JPEG = jpeg_with(
    segment(0xED, b"Photoshop 3.0\0008BIM\x03\xed\0\0\0\0\0\x10\0\x48\0\0\0\1\0\1\0\x48\0\0\0\1\0\1"),
    segment(0xED, b"Photoshop 3.0\0008BIM\x04\x04\0\0\0\0\0\x05\x1c\2\x50\0\0\0"),
    exif=EXIF, icc_profile=PROFILE, comment=b"by me", xmp=b"<x/>",
)  # fmt: skip
JPEG_METADATA, JPEG_SCAN = jpeg_parts(RICH_JPEG)


@given(st.lists(st.tuples(st.sampled_from(JPEG_METADATA), flips), min_size=1, max_size=8))
def test_any_damage_in_a_jpegs_metadata_is_passed_over(flipped):
    data = bytearray(RICH_JPEG)
    for at, bits in flipped:
        data[at] ^= bits
    verdict = judged(bytes(data), "a.jpg")

    assert isinstance(verdict, Accepted), verdict
    assert set(verdict.warnings) <= {"metadata_damaged"}


@given(st.integers(JPEG_SCAN, len(RICH_JPEG) - 40))
def test_a_cut_jpeg_is_refused_also_where_its_metadata_is_damaged(length):
    damaged = jpeg_with(segment(0xEE, b"Adobe\0"))
    cut = damaged[: length * len(damaged) // len(RICH_JPEG) - 40]

    assert isinstance(judged(cut, "a.jpg"), RejectedBytes)
    assert isinstance(judged(RICH_JPEG[:length], "a.jpg"), RejectedBytes)


@given(st.data())
def test_damaged_metadata_of_a_webp_is_passed_over_and_a_cut_one_is_refused(data):
    whole = pictures.webp(exif=EXIF.tobytes(), xmp=b"<x/>" * 20, icc_profile=PROFILE)
    start = whole.index(b"EXIF", 40)
    damaged = bytearray(whole)
    at = data.draw(st.integers(start + 8, len(whole) - 1))
    damaged[at] ^= data.draw(flips)
    cut = whole[: data.draw(st.integers(1, start - 3))]

    assert isinstance(judged(bytes(damaged), "a.webp"), Accepted)
    assert isinstance(judged(whole[: max(at, start + 8)], "a.webp"), Accepted)
    assert isinstance(judged(cut, "a.webp"), RejectedBytes)


@given(st.integers(1, 2000))
def test_an_animation_cut_between_or_in_frames_is_refused_as_before(length):
    whole = pictures.animated_webp()
    assert isinstance(judged(whole[: min(length, len(whole) - 1)], "a.webp"), RejectedBytes)


@given(st.binary(max_size=300), st.sampled_from(kinds.RASTERS))
def test_copies_of_anything_are_made_without_an_error(tail, kind):
    starts = {"png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8", "gif": b"GIF89a", "webp": b"RIFF"}
    for copy in bare_copies(kind, starts.get(kind.format, b"\0\0\1\0") + tail):
        assert len(copy) <= len(tail) + 30
