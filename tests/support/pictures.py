"""Real pictures for tests, made on the spot: every accepted format, and ways to break them.

The same arguments give the same bytes; another seed gives another picture, also to the eye.
"""

from __future__ import annotations

import io
import os
import random
import struct
from pathlib import Path
from typing import Any

from PIL import Image


def image(w: int = 64, h: int = 48, seed: int = 0) -> Image.Image:
    """A soft pattern of colours that is this seed's own."""
    colours = random.Random(seed).randbytes(3 * 8 * 6)
    small = Image.frombytes("RGB", (8, 6), colours)
    return small.resize((w, h), Image.Resampling.BICUBIC)


def encoded(picture: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def png(w: int = 64, h: int = 48, seed: int = 0, **options: Any) -> bytes:
    return encoded(image(w, h, seed), "PNG", **options)


def jpeg(w: int = 64, h: int = 48, seed: int = 0, **options: Any) -> bytes:
    return encoded(image(w, h, seed), "JPEG", **options)


def gif(w: int = 64, h: int = 48, seed: int = 0) -> bytes:
    return encoded(image(w, h, seed), "GIF")


def bmp(w: int = 64, h: int = 48, seed: int = 0) -> bytes:
    return encoded(image(w, h, seed), "BMP")


def webp(w: int = 64, h: int = 48, seed: int = 0, **options: Any) -> bytes:
    return encoded(image(w, h, seed), "WEBP", **options)


def ico(w: int = 32, h: int = 32, seed: int = 0, form: str = "png") -> bytes:
    return encoded(image(w, h, seed), "ICO", sizes=[(w, h)], bitmap_format=form)


def mpo(w: int = 64, h: int = 48, seed: int = 0) -> bytes:
    """Two JPEGs in one file, as stereo cameras and phones write them."""
    return _frames("MPO", w, h, seed, 2)


def animated_gif(w: int = 64, h: int = 48, seed: int = 0, frames: int = 3) -> bytes:
    return _frames("GIF", w, h, seed, frames)


def animated_webp(w: int = 64, h: int = 48, seed: int = 0, frames: int = 3) -> bytes:
    return _frames("WEBP", w, h, seed, frames)


def animated_png(w: int = 64, h: int = 48, seed: int = 0, frames: int = 3) -> bytes:
    return _frames("PNG", w, h, seed, frames)


def tiff(w: int = 64, h: int = 48, seed: int = 0) -> bytes:
    return encoded(image(w, h, seed), "TIFF")


def tga(w: int = 64, h: int = 48, seed: int = 0) -> bytes:
    return encoded(image(w, h, seed), "TGA")


def gif_bomb(reach: tuple[int, int] = (65535, 66601), *, dispose: int = 0) -> bytes:
    """A GIF of a few bytes whose one frame reaches far out of its screen."""
    control = struct.pack("<BBBBHBB", 0x21, 0xF9, 4, dispose << 2, 0, 0, 0) if dispose else b""
    left, top = max(0, reach[0] - 65535), max(0, reach[1] - 65535)
    frame = struct.pack("<BHHHHB", 0x2C, left, top, reach[0] - left, reach[1] - top, 0)
    screen = struct.pack("<6sHHBBB", b"GIF89a", 1, 1, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    return screen + control + frame + b"\x02\x02\x44\x01\x00;"


def dng(w: int = 64, h: int = 48, seed: int = 0, **changes: Any) -> bytes:
    """An uncompressed camera RAW that LibRaw unpacks; `changes` are tags: `t259=52546`."""
    sensor = random.Random(seed).randbytes(2 * w * h)
    tags: dict[int, tuple[str, Any]] = {
        254: ("I", 0),
        256: ("I", w),
        257: ("I", h),
        258: ("H", 16),
        259: ("H", 1),  # not compressed
        262: ("H", 32803),  # colour filter array
        271: ("s", b"Maker\0"),
        272: ("s", b"Camera\0"),
        273: ("I", 8),
        277: ("H", 1),
        278: ("I", h),
        279: ("I", len(sensor)),
        33421: ("H", (2, 2)),
        33422: ("B", (0, 1, 1, 2)),
        50706: ("B", (1, 4, 0, 0)),  # DNGVersion
        50708: ("s", b"Maker Camera\0"),
        50721: ("i2", (1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1)),
    }
    for name, value in changes.items():
        code, _ = tags.get(int(name[1:]), ("s" if isinstance(value, bytes) else "I", None))
        tags[int(name[1:])] = (code, value)
    if changes.get("t50706", 1) is None:
        del tags[50706]
    return _tiff_file(sensor, tags)


def with_preview(raw: bytes, preview: bytes | Image.Image) -> bytes:
    """A `dng` with a picture beside its sensor data, as cameras put one there: JPEG, or pixels."""
    (first,) = struct.unpack_from("<I", raw, 4)
    (count,) = struct.unpack_from("<H", raw, first)
    link = first + 2 + 12 * count
    data = preview if isinstance(preview, bytes) else preview.tobytes()
    width, height = (64, 48) if isinstance(preview, bytes) else preview.size
    tags: dict[int, tuple[str, Any]] = {254: ("I", 1), 256: ("I", width), 257: ("I", height)}
    tags |= {258: ("H", (8, 8, 8)), 277: ("H", 3), 278: ("I", height)}
    if isinstance(preview, bytes):
        tags |= {259: ("H", 6), 262: ("H", 6), 513: ("I", len(raw)), 514: ("I", len(data))}
    else:
        tags |= {259: ("H", 1), 262: ("H", 2), 273: ("I", len(raw)), 279: ("I", len(data))}
    body, directory = _directory(raw + data, tags)
    return body[:link] + struct.pack("<I", len(body)) + body[link + 4 :] + directory


def with_exif(
    jpeg_file: bytes, tags: dict[int, Any], *, inner: dict[int, Any] | None = None
) -> bytes:
    """A JPEG with this EXIF in it; `inner` are the tags of its second directory."""
    exif = Image.Exif()
    exif.update(tags)
    exif.get_ifd(34665).update(inner or {})
    return _segment(jpeg_file, 0xE1, exif.tobytes())


def with_iptc(jpeg_file: bytes, *fields: tuple[int, bytes]) -> bytes:
    """A JPEG with these fields of IPTC's second record in it."""
    iim = b"".join(
        struct.pack(">BBBH", 0x1C, 2, number, len(text)) + text for number, text in fields
    )
    resource = struct.pack(">4sHHI", b"8BIM", 0x0404, 0, len(iim)) + iim
    return _segment(jpeg_file, 0xED, b"Photoshop 3.0\0" + resource)


def with_xmp(jpeg_file: bytes, xml: bytes) -> bytes:
    """A JPEG with this XMP packet in it."""
    return _segment(jpeg_file, 0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xml)


def xmp(*properties: str) -> bytes:
    """An XMP packet with these elements in its description."""
    spaces = (
        'xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"'
    )
    rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{rdf}"><rdf:Description {spaces}>'
        f"{''.join(properties)}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def tree(root: Path, files: dict[str, bytes]) -> Path:
    """Write files below a folder, and give the folder."""
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def at(root: Path, name: str) -> str:
    """The path of a file below a folder, as candidates have it."""
    return os.fspath(root / name)


def _frames(form: str, w: int, h: int, seed: int, count: int) -> bytes:
    first, *rest = (image(w, h, 1000 * seed + number) for number in range(count))
    return encoded(first, form, save_all=True, append_images=rest)


_CODES = {"B": (1, "B"), "s": (2, "B"), "H": (3, "H"), "I": (4, "I"), "i2": (10, "i")}


def _tiff_file(pixels: bytes, tags: dict[int, tuple[str, Any]]) -> bytes:
    """A little-endian TIFF of one directory: header, pixels, long values, directory."""
    body, directory = _directory(b"II*\0\0\0\0\0" + pixels, tags)
    return body[:4] + struct.pack("<I", len(body)) + body[8:] + directory


def _segment(jpeg_file: bytes, marker: int, content: bytes) -> bytes:
    """A JPEG with one more application segment, the first."""
    return (
        jpeg_file[:2]
        + struct.pack(">BBH", 0xFF, marker, len(content) + 2)
        + content
        + jpeg_file[2:]
    )


def _directory(body: bytes, tags: dict[int, tuple[str, Any]]) -> tuple[bytes, bytes]:
    """A TIFF's bytes with the tags' long values behind them, and the directory of the tags."""
    entries = b""
    for tag, (code, value) in sorted(tags.items()):
        number, letter = _CODES[code]
        values = (value,) if isinstance(value, int) else tuple(value)
        packed = struct.pack(f"<{len(values)}{letter}", *values)
        count = len(values) // 2 if code == "i2" else len(values)
        if len(packed) > 4:
            body += b"\0" * (len(body) % 2)
            body, packed = body + packed, struct.pack("<I", len(body))
        entries += struct.pack("<HHI4s", tag, number, count, packed)
    body += b"\0" * (len(body) % 2)
    return body, struct.pack("<H", len(tags)) + entries + b"\0\0\0\0"
