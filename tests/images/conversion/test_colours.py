"""Each way of storing colours, held against the source at known places."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from batchscan.images import kinds
from batchscan.images.conversion.heif import display_p3
from batchscan.images.conversion.recipe import CannotConvert, TooManyPixels
from batchscan.images.kinds import ImageFormat
from tests.support.colours import (
    COLOURS,
    GREYS,
    SIZE,
    TURNED,
    assert_shows,
    colour_at,
    converted,
    saved,
    source,
    tiff,
)


def sixteen(picture: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)


def orientation(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def in_p3() -> Image.Image:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(display_p3()))
    found = ImageCms.profileToProfile(
        source(), ImageCms.createProfile("sRGB"), profile, outputMode="RGB"
    )
    assert found is not None
    found.info.clear()  # or its profile would be saved along
    return found


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "tiff_lzw"},
        {"compression": "tiff_adobe_deflate"},
        {"compression": "packbits"},
        {"compression": "jpeg", "quality": 95},
        {"big_tiff": True},
    ],
)
def test_tiff_of_each_compression(options):
    assert_shows(converted(kinds.TIFF, saved(source(), "TIFF", **options)))


@pytest.mark.parametrize(
    ("picture", "colours"),
    [
        (source().convert("CMYK"), COLOURS),
        (source().convert("L"), GREYS),
        (source().quantize(16), COLOURS),
        (sixteen(source()), GREYS),
        (source().convert("RGBA"), COLOURS),
    ],
    ids=["cmyk", "grey", "palette", "grey of 16 bits", "opaque alpha"],
)
def test_tiff_of_each_kind_of_pixels(picture, colours):
    assert_shows(converted(kinds.TIFF, saved(picture, "TIFF")), colours)


def test_bits_of_a_fax_are_black_and_white():
    bits = source().convert("L").point(lambda value: 255 * (value > 100)).convert("1")
    wanted = tuple(
        (bits.getpixel(place),) * 3 for place in ((75, 50), (225, 50), (75, 150), (225, 150))
    )

    assert_shows(converted(kinds.TIFF, saved(bits, "TIFF", compression="group4")), wanted)


def test_the_largest_page_of_a_tiff_is_the_picture():
    small, other = source((30, 20)), source((40, 40))
    data = saved(small, "TIFF", save_all=True, append_images=[source(), other])

    assert_shows(converted(kinds.TIFF, data))


def plain_tiff(tags: dict[int, tuple[int, int]], pixels: bytes, *, order: str = "<") -> bytes:
    """A TIFF of one strip, as other programs write them."""
    tags = {**tags, 273: (4, 8), 279: (4, len(pixels))}
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8 + len(pixels))
    entries = b""
    for tag, (kind, value) in sorted(tags.items()):
        inline = struct.pack(f"{order}I", value) if kind == 4 else struct.pack(f"{order}Hxx", value)
        entries += struct.pack(f"{order}HHI", tag, kind, 1) + inline
    return head + pixels + struct.pack(f"{order}H", len(tags)) + entries + bytes(4)


def grey_tags(bits: int, photometric: int, **more: tuple[int, int]) -> dict[int, tuple[int, int]]:
    tags = {
        256: (3, 4),
        257: (3, 2),
        258: (3, bits),
        259: (3, 1),
        262: (3, photometric),
        277: (3, 1),
    }
    return tags | {int(name[1:]): value for name, value in more.items()} | {278: (3, 2)}


@pytest.mark.parametrize(
    ("order", "photometric", "wanted"), [("<", 1, 64), (">", 1, 64), ("<", 0, 191)]
)
def test_sixteen_bits_of_either_byte_order_and_polarity(order, photometric, wanted):
    pixels = struct.pack(f"{order}8H", *[64 * 257] * 8)
    picture = converted(kinds.TIFF, plain_tiff(grey_tags(16, photometric), pixels, order=order))

    assert abs(colour_at(picture, (1, 1))[0] - wanted) <= 2


def test_signed_and_wide_pixels_are_refused():
    cases = (
        (grey_tags(16, 1, t339=(3, 2)), struct.pack("<8h", *[100] * 8)),
        (grey_tags(32, 1), struct.pack("<8I", *[2**31] * 8)),
    )
    for tags, pixels in cases:
        with pytest.raises(Exception, match="bits") as refused:
            converted(kinds.TIFF, plain_tiff(tags, pixels))
        assert isinstance(refused.value, CannotConvert)


def planar_tiff(
    channels: list[np.ndarray], photometric: int, *, order: str, deep: dict[str, Any]
) -> bytes:
    """A TIFF whose 16-bit channels lie one after the other, in strips."""
    height, width = channels[0].shape
    rows, predict, deflate = deep["rows"], deep.get("predict"), deep.get("deflate")
    strips = []
    for channel in channels:
        wide = channel.astype(np.uint16) * 257
        if predict:
            wide[:, 1:] = wide[:, 1:] - wide[:, :-1]  # wraps, as the predictor does
        for top in range(0, height, rows):
            strip = wide[top : top + rows].astype(f"{order}u2").tobytes()
            strips.append(zlib.compress(strip) if deflate else strip)
    tags: dict[int, list[int] | bytes] = {
        256: [width], 257: [height], 258: [16] * len(channels), 259: [8 if deflate else 1],
        262: [photometric], 277: [len(channels)], 278: [rows], 284: [2],
        317: [2 if predict else 1], 274: [deep.get("turned", 1)],
    }  # fmt: skip
    if "extra" in deep:
        tags[338] = [deep["extra"]]
    return tiff(tags, strips, order=order)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "deep", [{"rows": 200}, {"rows": 64}, {"rows": 64, "deflate": True, "predict": True}], ids=str
)
def test_sixteen_bits_in_planes(order, deep):
    picture = converted(kinds.TIFF, planar_tiff(planes(source()), 2, order=order, deep=deep))
    assert_shows(picture)


def test_sixteen_bits_in_planes_with_transparency_and_turned_and_of_cmyk():
    height, width = SIZE[1], SIZE[0]
    clear = np.zeros((height, width), np.uint8)
    data = planar_tiff([*planes(source()), clear], 2, order="<", deep={"rows": 50, "extra": 2})
    assert_shows(converted(kinds.TIFF, data), ((255,) * 3,) * 4)
    turned = planar_tiff(planes(source()), 2, order="<", deep={"rows": 200, "turned": TURNED})
    assert_shows(
        converted(kinds.TIFF, turned), (COLOURS[2], COLOURS[0], COLOURS[3], COLOURS[1]), (200, 300)
    )
    ink = Image.new("CMYK", SIZE, (0, 255, 255, 0))
    inked = planar_tiff(planes(ink), 5, order="<", deep={"rows": 200})
    assert (
        converted(kinds.TIFF, inked).tobytes()
        == converted(kinds.TIFF, saved(ink, "TIFF")).tobytes()
    )


def test_planes_that_are_cut_off_or_of_an_odd_kind_are_refused():
    whole = planar_tiff(planes(source()), 2, order="<", deep={"rows": 64, "deflate": True})
    torn = whole[:2000] + bytes(4000) + whole[6000:]
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever libtiff says
        converted(kinds.TIFF, torn)
    odd = planar_tiff(planes(source()), 6, order="<", deep={"rows": 64})
    with pytest.raises(Exception):  # noqa: B017, PT011
        converted(kinds.TIFF, odd)


FORMATS: list[tuple[str, ImageFormat, dict[str, Any]]] = [
    ("TIFF", kinds.TIFF, {}),
    ("AVIF", kinds.AVIF, {"quality": 95}),
    ("JPEG", kinds.JPEG, {"quality": 95}),
    ("PNG", kinds.PNG, {}),
    ("WEBP", kinds.WEBP, {"quality": 95}),
]


@pytest.mark.parametrize(("form", "kind", "options"), FORMATS)
def test_orientation_is_baked_in(form, kind, options):
    lying = source().transpose(Image.Transpose.ROTATE_90)

    assert_shows(converted(kind, saved(lying, form, exif=orientation(TURNED), **options)))


@pytest.mark.parametrize(("form", "kind", "options"), FORMATS)
def test_wide_colours_become_srgb(form, kind, options):
    data = saved(in_p3(), form, icc_profile=display_p3(), **options)

    assert_shows(converted(kind, data))


@pytest.mark.parametrize(
    ("form", "kind"),
    [("TIFF", kinds.TIFF), ("PNG", kinds.PNG), ("WEBP", kinds.WEBP), ("AVIF", kinds.AVIF),
     ("JPEG2000", kinds.JP2)],
)  # fmt: skip
def test_transparency_is_white(form, kind):
    clear = source().convert("RGBA")
    clear.putalpha(0)

    assert_shows(converted(kind, saved(clear, form)), ((255,) * 3,) * 4)


def test_png_of_sixteen_bits():
    assert_shows(converted(kinds.PNG, saved(sixteen(source()), "PNG")), GREYS)


@pytest.mark.parametrize(("picture", "colours"), [(source(), COLOURS), (sixteen(source()), GREYS)])
def test_jpeg_2000(picture, colours):
    assert_shows(converted(kinds.JP2, saved(picture, "JPEG2000")), colours)


def test_the_profile_in_a_jpeg_2000_file_is_heeded():
    data = saved(in_p3(), "JPEG2000")
    start = data.index(b"jp2h") - 4
    length = int.from_bytes(data[start : start + 4], "big")
    colours = data.index(b"colr", start) - 4
    size = int.from_bytes(data[colours : colours + 4], "big")
    box = b"colr\2\0\0" + display_p3()
    box = (len(box) + 4).to_bytes(4, "big") + box
    longer = (length + len(box) - size).to_bytes(4, "big")
    data = data[:start] + longer + data[start + 4 : colours] + box + data[colours + size :]

    assert_shows(converted(kinds.JP2, data))


@pytest.mark.parametrize("lossless", [True, False])
def test_wide_colours_of_jpeg_xl_become_srgb(lossless):
    jxl = pytest.importorskip("pylibjxl")
    data = jxl.encode(np.asarray(in_p3()).copy(), icc=display_p3(), lossless=lossless)

    assert_shows(converted(kinds.JXL, data))


@pytest.mark.parametrize("transfer", [16, 18])
def test_colours_that_an_avif_names_by_number(transfer):
    data = bytearray(saved(in_p3(), "AVIF", quality=95))
    at = data.index(b"colrnclx") + 8
    data[at : at + 2] = (12).to_bytes(2, "big")

    assert_shows(converted(kinds.AVIF, bytes(data)))
    data[at + 2 : at + 4] = transfer.to_bytes(2, "big")
    with pytest.raises(CannotConvert, match="HDR"):
        converted(kinds.AVIF, bytes(data))


def test_nothing_is_enlarged_and_large_ones_are_shrunk():
    assert converted(kinds.PNG, saved(source((30, 20)), "PNG")).size == (30, 20)
    large = converted(kinds.TIFF, saved(source((6000, 4000)), "TIFF", compression="tiff_lzw"))

    assert_shows(large, size=(2048, 1365))


def test_too_many_pixels_are_refused_before_any_is_decoded():
    with pytest.raises(TooManyPixels, match="300x200 is 60,000 pixels"):
        converted(kinds.TIFF, saved(source(), "TIFF"), limit=59_999)


def psd(  # noqa: PLR0913 - a header's fields
    planes: list[np.ndarray],
    *,
    mode: int = 3,
    depth: int = 8,
    version: int = 1,
    compression: int = 0,
    resources: bytes = b"",
    palette: bytes = b"",
) -> bytes:
    """A Photoshop document without layers, as Photoshop writes its composite."""
    height, width = planes[0].shape
    head = struct.pack(">4sH6xHIIHH", b"8BPS", version, len(planes), height, width, depth, mode)
    layers = bytes(4 if version == 1 else 8)
    sections = b"".join(len(part).to_bytes(4, "big") + part for part in (palette, resources))
    if compression == 0:
        pixels = b"".join(plane.astype(f">u{depth // 8}").tobytes() for plane in planes)
    else:
        rows = [
            packed(row.astype(f">u{depth // 8}").tobytes()) for plane in planes for row in plane
        ]
        width_of = ">H" if version == 1 else ">I"
        pixels = b"".join(struct.pack(width_of, len(row)) for row in rows) + b"".join(rows)
    return head + sections + layers + struct.pack(">H", compression) + pixels


def packed(row: bytes) -> bytes:
    """PackBits, literal runs only."""
    parts = (row[at : at + 128] for at in range(0, len(row), 128))
    return b"".join(bytes((len(part) - 1,)) + part for part in parts)


def planes(picture: Image.Image) -> list[np.ndarray]:
    return [np.asarray(band) for band in picture.split()]


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("compression", [0, 1])
def test_photoshop_documents_and_large_ones(version, compression):
    data = psd(planes(source()), version=version, compression=compression)

    assert_shows(converted(kinds.PSD, data))


def test_photoshop_of_sixteen_bits_grey_cmyk_and_with_a_mask():
    deep = [plane.astype(np.uint16) * 257 for plane in planes(source())]
    ink = [255 - plane for plane in planes(source().convert("CMYK"))]
    mask = np.zeros(planes(source())[0].shape, np.uint8)

    assert_shows(converted(kinds.PSD, psd(deep, depth=16)))
    assert_shows(converted(kinds.PSD, psd(planes(source().convert("L")), mode=1)), GREYS)
    assert_shows(converted(kinds.PSD, psd(ink, mode=4)))
    assert_shows(converted(kinds.PSD, psd([*planes(source()), mask])))


def test_photoshop_without_a_composite_and_of_odd_kinds_is_refused():
    version_info = (
        b"8BIM" + struct.pack(">H", 1057) + bytes(2) + struct.pack(">I", 6) + b"\0\0\0\1\0\0"
    )
    for data in (psd(planes(source()), resources=version_info), psd(planes(source()), mode=7)):
        with pytest.raises(CannotConvert):
            converted(kinds.PSD, data)


def test_heic_and_its_traps():
    heif = pytest.importorskip("pillow_heif")

    def heic(picture: Image.Image, **options: Any) -> bytes:
        out = io.BytesIO()
        heif.from_pillow(picture).save(out, quality=95, **options)
        return out.getvalue()

    lying = source().transpose(Image.Transpose.ROTATE_90)

    assert_shows(converted(kinds.HEIC, heic(source())))
    turned = heic(lying, exif=orientation(TURNED).tobytes())
    assert_shows(converted(kinds.HEIC, turned))
    assert_shows(converted(kinds.HEIC, heic(in_p3(), icc_profile=display_p3())))
    by_number = heic(in_p3(), color_primaries=12, transfer_characteristics=13)
    assert_shows(converted(kinds.HEIC, by_number))


def test_jpeg_xl_and_its_traps():
    jxl = pytest.importorskip("pylibjxl")
    pixels = np.asarray(source())
    clear = source().convert("RGBA")
    clear.putalpha(0)
    grey = np.asarray(source().convert("L"))[:, :, None].copy()

    assert_shows(converted(kinds.JXL, jxl.encode(pixels)))
    assert_shows(converted(kinds.JXL, jxl.encode(np.asarray(clear).copy())), ((255,) * 3,) * 4)
    assert_shows(converted(kinds.JXL, jxl.encode(grey)), GREYS)
