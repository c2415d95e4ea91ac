"""Floating-point, 12-bit and subsampled TIFF, held against the source at known places."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from batchscan.images import kinds
from batchscan.images.conversion import icc
from batchscan.images.conversion.heif import display_p3
from batchscan.images.conversion.recipe import NO_CMYK_PROFILE, CannotConvert
from batchscan.images.metadata import ifd
from tests.support.colours import (
    COLOURS,
    GREYS,
    SIZE,
    TURNED,
    assert_shows,
    converted,
    made_of,
    saved,
    source,
    tiff,
)

WIDTH, HEIGHT = SIZE
FLOATS = {16: "f2", 32: "f4", 64: "f8"}


def linear_profile(profile: bytes) -> bytes:
    """The same colours, but values count light, as programs for HDR embed it."""
    made = bytearray(profile)
    place = len(made)
    made += struct.pack(">4s4xHHI", b"para", 0, 0, 0x10000)
    struct.pack_into(">I", made, 0, len(made))
    for number, name in enumerate(icc.tags(profile)):
        if name in (b"rTRC", b"gTRC", b"bTRC"):
            struct.pack_into(">4sII", made, 132 + 12 * number, name, place, 16)
    return bytes(made)


def light(values: np.ndarray) -> np.ndarray:
    """Values of sRGB as amounts of light (IEC 61966-2-1)."""
    found = values.astype(np.float64) / 255
    return np.where(found <= 0.04045, found / 12.92, ((found + 0.055) / 1.055) ** 2.4)


def predicted(values: np.ndarray, predictor: int, order: str) -> bytes:
    """The bytes of rows before compression (TIFF 6.0, section 14; Adobe TIFF note 3)."""
    rows, width, channels = values.shape
    if predictor == 3:
        size = values.dtype.itemsize
        big = values.astype(values.dtype.newbyteorder(">")).reshape(rows, -1)
        bytes_of = big.view(np.uint8).reshape(rows, width * channels, size)
        apart = bytes_of.transpose(0, 2, 1).reshape(rows, -1, channels).copy()
        apart[:, 1:] -= apart[:, :-1].copy()
        return apart.tobytes()
    if predictor == 2:
        whole = values.view(f"u{values.dtype.itemsize}").copy()
        whole[:, 1:] -= whole[:, :-1].copy()
        return ordered(whole, order)
    return ordered(values, order)


def ordered(values: np.ndarray, order: str) -> bytes:
    return values.astype(values.dtype.newbyteorder(">" if order == ">" else "<")).tobytes()


def compressed(data: bytes, compression: int) -> bytes:
    if compression == 8:
        return zlib.compress(data)
    if compression == 1:
        return data
    grey = Image.frombytes("L", (len(data), 1), data)
    name = {5: "tiff_lzw", 32773: "packbits"}[compression]
    with Image.open(io.BytesIO(saved(grey, "TIFF", compression=name))) as written:
        tags = written.tag_v2  # type: ignore[attr-defined]
        assert len(tags[273]) == 1
        raw = saved(grey, "TIFF", compression=name)
        return raw[tags[273][0] :][: tags[279][0]]


def float_tiff(  # noqa: PLR0913 - a file's fields
    values: np.ndarray,
    *,
    profile: bytes | None,
    bits: int = 32,
    rows: int = 64,
    tile: int = 0,
    order: str = "<",
    compression: int = 1,
    predictor: int = 1,
    planar: bool = False,
    big: bool = False,
    more: dict[int, list[int] | bytes] | None = None,
) -> bytes:
    values = values.astype(FLOATS[bits])
    if values.ndim == 2:
        values = values[:, :, None]
    channels = values.shape[2]
    planes = np.split(values, channels, axis=2) if planar else [values]
    parts = []
    for plane in planes:
        if tile:
            padded = np.pad(
                plane, ((0, -HEIGHT % tile), (0, -WIDTH % tile), (0, 0)), constant_values=9
            )
            blocks = [
                padded[y : y + tile, x : x + tile]
                for y in range(0, HEIGHT, tile)
                for x in range(0, WIDTH, tile)
            ]
        else:
            blocks = [plane[y : y + rows] for y in range(0, HEIGHT, rows)]
        parts += [compressed(predicted(each, predictor, order), compression) for each in blocks]
    tags: dict[int, list[int] | bytes] = {
        256: [WIDTH], 257: [HEIGHT], 258: [bits] * channels, 259: [compression],
        262: [1 if channels < 3 else 2], 277: [channels], 284: [2 if planar else 1],
        317: [predictor], 339: [3] * channels,
    }  # fmt: skip
    tags |= {322: [tile], 323: [tile]} if tile else {278: [rows]}
    tags |= {34675: profile} if profile else {}
    return tiff(tags | (more or {}), parts, order=order, tiled=bool(tile), big=big)


LINEAR = linear_profile(icc.srgb())
RGB = np.asarray(source())
GREY = np.asarray(source().convert("L"))


@pytest.mark.parametrize("bits", [16, 32, 64])
@pytest.mark.parametrize("order", ["<", ">"])
def test_light_in_floating_point_numbers(bits, order):
    of_colour = float_tiff(light(RGB), profile=LINEAR, bits=bits, order=order)
    assert_shows(converted(kinds.TIFF, of_colour))
    of_grey = float_tiff(light(GREY), profile=LINEAR, bits=bits, order=order)
    assert_shows(converted(kinds.TIFF, of_grey), GREYS)


@pytest.mark.parametrize("compression", [1, 5, 8, 32773])
@pytest.mark.parametrize("layout", [{}, {"tile": 64}, {"planar": True}, {"big": True}], ids=str)
def test_each_layout_and_compression_of_floating_point_numbers(compression, layout):
    assert_shows(
        converted(
            kinds.TIFF, float_tiff(RGB / 255, profile=icc.srgb(), compression=compression, **layout)
        )
    )


@pytest.mark.parametrize("predictor", [2, 3])
@pytest.mark.parametrize("bits", [16, 32])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("layout", [{}, {"tile": 64}, {"planar": True}], ids=str)
def test_each_predictor_of_floating_point_numbers(predictor, bits, order, layout):
    noisy = RGB / 255 + np.random.default_rng(1).normal(0, 0.001, RGB.shape)
    data = float_tiff(
        noisy, profile=icc.srgb(), bits=bits, order=order, compression=8, predictor=predictor,
        **layout,
    )  # fmt: skip

    assert_shows(converted(kinds.TIFF, data))


def test_wide_colours_of_light_become_srgb():
    of_p3 = light(np.asarray(converted(kinds.TIFF, saved(source(), "TIFF"))))
    to_p3 = np.array([[0.8225, 0.1774, 0.0], [0.0332, 0.9669, 0.0], [0.0171, 0.0724, 0.9108]])

    data = float_tiff(of_p3 @ to_p3.T, profile=linear_profile(display_p3()))

    assert_shows(converted(kinds.TIFF, data))


def grey_profile() -> bytes:
    """A profile for one channel that counts light."""
    whole, found = icc.srgb(), icc.tags(icc.srgb())
    parts = {
        name: whole[found[name][0] :][: found[name][1]] for name in (b"wtpt", b"desc", b"cprt")
    }
    parts[b"kTRC"] = struct.pack(">4s4xI", b"curv", 0)
    place = 132 + 12 * len(parts)
    table, body = b"", b""
    for name, data in parts.items():
        table += struct.pack(">4sII", name, place + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    made = whole[:16] + b"GRAY" + whole[20:128] + struct.pack(">I", len(parts)) + table + body
    return struct.pack(">I", len(made)) + made[4:]


def test_grey_light_with_a_profile_of_its_own():
    assert_shows(converted(kinds.TIFF, float_tiff(light(GREY), profile=grey_profile())), GREYS)
    with pytest.raises(CannotConvert, match="no colour profile says"):
        converted(kinds.TIFF, float_tiff(light(RGB), profile=grey_profile()))


@pytest.mark.parametrize(
    ("curve", "straight"),
    [
        (struct.pack(">4s4xI", b"curv", 0), True),
        (struct.pack(">4s4xIH", b"curv", 1, 0x100), True),
        (struct.pack(">4s4xIH", b"curv", 1, 0x233), False),
        (struct.pack(">4s4xI3H", b"curv", 3, 0, 32768, 65535), True),
        (struct.pack(">4s4xI3H", b"curv", 3, 0, 14000, 65535), False),
        (struct.pack(">4s4xHHI", b"para", 0, 0, 0x10000), True),
        (struct.pack(">4s4xHHI", b"para", 0, 0, 0x23333), False),
        (struct.pack(">4s4xI", b"curv", 5), False),  # cut off
        (b"", False),
    ],
)
def test_which_tone_curves_count_light(curve, straight):
    profile = bytearray(linear_profile(icc.srgb())[:-16] + curve)
    for number, name in enumerate(icc.tags(icc.srgb())):
        if name in (b"rTRC", b"gTRC", b"bTRC"):
            place = len(profile) - len(curve)
            struct.pack_into(">4sII", profile, 132 + 12 * number, name, place, len(curve))

    assert icc.is_linear(bytes(profile)) is straight


def test_dark_tones_of_light_are_not_coarse():
    """Eight bits of light have 13 steps below a fifth of the brightness."""
    shades = np.tile(np.linspace(0, 60, WIDTH), (HEIGHT, 1))
    made = np.asarray(converted(kinds.TIFF, float_tiff(light(shades), profile=LINEAR)))

    assert len(np.unique(made[100, :, 1])) > 50
    assert np.abs(made[100, :, 1] - shades[100]).max() <= 3


def test_lights_brighter_than_white_are_white_and_odd_numbers_black():
    values = light(RGB)
    values[:20, :20] = 5
    values[20:40, :20] = np.nan
    values[40:60, :20] = -0.1
    made = converted(kinds.TIFF, float_tiff(values, profile=LINEAR))

    assert_shows(made)
    shown = [made.getpixel((10, y)) for y in (10, 30, 50)]
    assert np.abs(np.array(shown) - [[255] * 3, [0] * 3, [0] * 3]).max() <= 6


def test_floating_point_with_transparency_and_turned():
    clear = np.dstack((light(RGB), np.zeros(RGB.shape[:2])))
    for planar in (False, True):
        data = float_tiff(clear, profile=LINEAR, planar=planar, more={338: [2]})
        assert_shows(converted(kinds.TIFF, data), ((255,) * 3,) * 4)
    turned = float_tiff(light(RGB), profile=LINEAR, more={274: [TURNED]})
    wanted = (COLOURS[2], COLOURS[0], COLOURS[3], COLOURS[1])
    assert_shows(converted(kinds.TIFF, turned), wanted, (HEIGHT, WIDTH))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (float_tiff(light(RGB), profile=None), "no colour profile says"),
        (float_tiff(light(RGB), profile=b"none of use" * 20), "no colour profile says"),
        (float_tiff(RGB * 1.0, profile=LINEAR), "not from 0 to 1"),
        (float_tiff(light(RGB) / 1000, profile=LINEAR), "where 1 is white"),
        (float_tiff(light(RGB), profile=LINEAR, more={262: [6]}), "unusual"),
        (float_tiff(light(GREY), profile=LINEAR, more={262: [0]}), "unusual"),
        (float_tiff(light(GREY), profile=LINEAR, more={259: [7]}), "unusual"),
        (float_tiff(light(RGB), profile=LINEAR, more={258: [32, 16, 32]}), "16/32-bit"),
    ],
)
def test_floating_point_numbers_that_do_not_say_what_they_mean_are_refused(data, reason):
    with pytest.raises(CannotConvert, match=reason):
        converted(kinds.TIFF, data)


def packed_bits(values: np.ndarray, bits: int) -> bytes:
    """Rows of numbers of so many bits, most significant first, each row from a whole byte."""
    rows = values.reshape(len(values), -1).astype(">u2")
    each = np.unpackbits(rows.view(np.uint8), axis=1).reshape(len(rows), -1, 16)[:, :, 16 - bits :]
    return np.packbits(each.reshape(len(rows), -1), axis=1).tobytes()


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("compression", [1, 5, 8])
def test_numbers_of_ten_to_fourteen_bits(bits, compression):
    most = (1 << bits) - 1
    for picture, photometric, wanted in ((RGB, 2, COLOURS), (GREY[:, :-1], 1, GREYS)):
        deep = (picture.astype(np.uint32) * most // 255).astype(np.uint16)
        strips = [
            compressed(packed_bits(deep[top : top + 50], bits), compression)
            for top in range(0, HEIGHT, 50)
        ]
        width = picture.shape[1]
        tags: dict[int, list[int] | bytes] = {
            256: [width], 257: [HEIGHT], 258: [bits] * (3 if photometric == 2 else 1),
            259: [compression], 262: [photometric], 277: [3 if photometric == 2 else 1],
            278: [50],
        }  # fmt: skip
        assert_shows(converted(kinds.TIFF, tiff(tags, strips)), wanted, (width, HEIGHT))


def test_twelve_bits_that_count_from_white():
    deep = 4095 - (GREY.astype(np.uint32) * 4095 // 255).astype(np.uint16)
    tags: dict[int, list[int] | bytes] = {
        256: [WIDTH], 257: [HEIGHT], 258: [12], 259: [1], 262: [0], 277: [1], 278: [HEIGHT],
    }  # fmt: skip
    assert_shows(converted(kinds.TIFF, tiff(tags, [packed_bits(deep, 12)])), GREYS)


def subsampled(rows: int, across: int, down: int) -> list[bytes]:
    """Strips of a YCbCr picture in units of brightness and one pair of colours (section 21)."""
    pixels = np.asarray(source().convert("YCbCr")).astype(int)
    strips = []
    for top in range(0, HEIGHT, rows):
        strip = pixels[top : top + rows]
        fill = ((0, -len(strip) % down), (0, -WIDTH % across), (0, 0))
        strip = np.pad(strip, fill, mode="edge")
        units = strip.reshape(len(strip) // down, down, -1, across, 3).transpose(0, 2, 1, 3, 4)
        brightness = units[..., 0].reshape(*units.shape[:2], -1)
        colour = units[..., 1:].mean(axis=(2, 3))
        strips.append(np.concatenate((brightness, colour), axis=2).astype(np.uint8).tobytes())
    return strips


@pytest.mark.parametrize(("across", "down"), [(2, 2), (2, 1), (4, 1), (4, 4), (1, 2)])
@pytest.mark.parametrize("compression", [1, 5, 8])
@pytest.mark.parametrize("rows", [16, 200])
def test_colours_stored_at_a_fraction_of_the_size(across, down, compression, rows):
    strips = [compressed(each, compression) for each in subsampled(rows, across, down)]
    tags: dict[int, list[int] | bytes] = {
        256: [WIDTH], 257: [HEIGHT], 258: [8] * 3, 259: [compression], 262: [6], 277: [3],
        278: [rows], 530: [across, down],
    }  # fmt: skip
    made = converted(kinds.TIFF, tiff(tags, strips))

    assert_shows(made)
    off = np.abs(np.asarray(made).astype(int) - RGB).max(axis=2)
    assert np.mean(off > 8) < 0.05  # at the borders of the fields only
    turned = converted(kinds.TIFF, tiff(tags | {274: [TURNED]}, strips))
    assert_shows(turned, (COLOURS[2], COLOURS[0], COLOURS[3], COLOURS[1]), (HEIGHT, WIDTH))


@pytest.mark.parametrize(("subsampling", "factors"), [(0, [1, 1]), (1, [2, 1]), (2, [2, 2])])
@pytest.mark.parametrize("compression", [6, 7], ids=["old-style", "new-style"])
def test_jpeg_inside_a_tiff(subsampling, factors, compression):
    jpeg = saved(source(), "JPEG", quality=95, subsampling=subsampling)
    tags: dict[int, list[int] | bytes] = {
        256: [WIDTH], 257: [HEIGHT], 258: [8] * 3, 259: [compression], 262: [6], 277: [3],
        278: [HEIGHT], 530: factors,
    }  # fmt: skip
    if compression == 6:
        tags |= {512: [1], 513: [8], 514: [len(jpeg)]}

    assert_shows(converted(kinds.TIFF, tiff(tags, [jpeg])))


def test_colours_at_a_fraction_of_the_size_in_planes_are_refused():
    tags: dict[int, list[int] | bytes] = {
        256: [WIDTH], 257: [HEIGHT], 258: [8] * 3, 259: [1], 262: [6], 277: [3], 278: [HEIGHT],
        284: [2], 530: [2, 2],
    }  # fmt: skip
    quarter = bytes(WIDTH * HEIGHT // 4)
    with pytest.raises(CannotConvert, match="stored at half size"):
        converted(kinds.TIFF, tiff(tags, [bytes(WIDTH * HEIGHT), quarter, quarter]))


def test_the_switch_to_libtiff_does_not_stay_on():
    strips = subsampled(HEIGHT, 2, 2)
    tags: dict[int, list[int] | bytes] = {
        256: [WIDTH], 257: [HEIGHT], 258: [8] * 3, 259: [1], 262: [6], 277: [3], 278: [HEIGHT],
    }  # fmt: skip
    converted(kinds.TIFF, tiff(tags, strips))
    assert TiffImagePlugin.READ_LIBTIFF is False


@pytest.mark.parametrize("compression", [1, 5, 8, 32773])
@pytest.mark.parametrize("tile", [0, 64])
def test_floating_point_pixels_that_are_cut_off_are_an_error(compression, tile):
    whole = float_tiff(RGB / 255, profile=icc.srgb(), compression=compression, tile=tile)
    places, sizes = (324, 325) if tile else (273, 279)
    page = next(ifd.chain(ifd.reads_bytes(whole)))
    entry = page.entries[sizes]
    short = bytearray(whole)
    struct.pack_into("<I", short, entry.place + 4, page.numbers(sizes)[1] // 3)
    nowhere = bytearray(whole)
    struct.pack_into("<I", nowhere, page.entries[places].place + 4, len(whole) + 7)
    for data in (short, nowhere):
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the decoder says
            converted(kinds.TIFF, bytes(data))


@pytest.mark.parametrize("compression", [1, 5, 8])
def test_tiles_that_claim_more_than_any_memory_are_refused(compression):
    whole = float_tiff(RGB / 255, profile=icc.srgb(), compression=compression, tile=64)
    page = next(ifd.chain(ifd.reads_bytes(whole)))
    huge = bytearray(whole)
    for tag in (322, 323):
        struct.pack_into("<I", huge, page.entries[tag].place, 65_520)
    with pytest.raises(CannotConvert, match="save it with smaller ones"):
        converted(kinds.TIFF, bytes(huge))


def test_a_strip_that_inflates_without_end_costs_what_the_picture_does():
    bomb = zlib.compress(bytes(50_000_000), 9)
    tags: dict[int, list[int] | bytes] = {
        256: [WIDTH], 257: [HEIGHT], 258: [12], 259: [8], 262: [1], 277: [1], 278: [HEIGHT],
    }  # fmt: skip
    data = tiff(tags, [bomb])
    tracemalloc.start()
    made = converted(kinds.TIFF, data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert made.getextrema() == ((0, 0),) * 3
    assert peak < 5_000_000


def test_a_twelve_bit_picture_of_ink_is_warned_of():
    ink = np.zeros((HEIGHT, WIDTH, 4), np.uint16)
    ink[:, :, 1] = 4095
    tags: dict[int, list[int] | bytes] = {
        256: [WIDTH], 257: [HEIGHT], 258: [12] * 4, 259: [1], 262: [5], 277: [4], 278: [HEIGHT],
    }  # fmt: skip
    assert made_of(kinds.TIFF, tiff(tags, [packed_bits(ink, 12)])).warnings == (NO_CMYK_PROFILE,)
