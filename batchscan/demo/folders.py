"""The demo's two folders: pictures of ours, and a small web that shows copies of some."""

from __future__ import annotations

import io
from collections.abc import Iterator
from html import escape
from pathlib import Path

from batchscan.demo.artwork import artwork, encoded
from batchscan.demo.changes import CHANGES
from batchscan.demo.raw import dng

TOO_LARGE = 20_500_000  # bytes
FULL_FRAME = (3936, 2624)  # pixels of a RAW of more than 20 MB
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(2000)

# Which of our pictures each made-up site shows, and how it has changed them.
SITES = {
    "holiday-blog.example": ((0, "exact"), (1, "recompressed"), (2, "resized")),
    "cheap-posters.example": ((0, "exact"), (3, "exact"), (4, "recoloured"), (5, "resized")),
    "news-agency.example": ((6, "grey"), (0, "resized"), (8, "cropped")),
    "framed-prints.example": ((2, "bordered"), (9, "bordered")),
    "memes.example": ((0, "captioned"), (10, "captioned"), (11, "mirrored")),
    "scanned-slides.example": ((50, "exact"), (51, "exact")),  # of our TIFF and HEIC
    "photo-agency.example": ((52, "resized"),),  # of our large RAW
    "avatars.example": ((12, "cropped"), (13, "cropped")),
    "wallpapers.example": ((7, "exact"), (100, "exact"), (101, "exact")),  # the last two are theirs
}


def pictures() -> Iterator[tuple[str, bytes]]:
    """Our pictures by name: good ones in every format, twins, and ones that the API refuses."""
    for number in range(16):
        yield f"photos/{2024 + number % 3}/IMG_{number:04}.jpg", photo(number)
    for number, (extension, form) in enumerate(
        [("png", "PNG"), ("gif", "GIF"), ("webp", "WEBP"), ("bmp", "BMP"), ("ico", "ICO")], 20
    ):
        size = (128, 128) if form == "ICO" else (240, 160)
        yield f"graphics/art-{number}.{extension}", encoded(artwork(number, *size), form)
    yield "camera/DSC_0001.dng", dng(artwork(30, 320, 240))
    yield "camera/DSC_0052.dng", dng(artwork(52).resize(FULL_FRAME))
    yield "photos/Übersicht – Straße.jpg", photo(31)
    yield "photos/- odd name.jpg", photo(32)
    yield "photos/no-extension", photo(33)
    yield "twins/copy of IMG_0003.jpg", photo(3)
    yield "twins/again.jpg", photo(3)
    yield "scans/slide-50.tif", encoded(artwork(50), "TIFF", compression="tiff_lzw")
    if (phone := heic(51)) is not None:
        yield "phone/IMG_0051.heic", phone
    yield "broken/cut-short.jpg", photo(40)[:6000]
    yield "broken/empty.png", b""
    yield "broken/really-a-text.jpg", b"Dear Sir or Madam,\n" * 50
    yield "broken/from-a-phone.heic", HEIC
    yield "photos/too-large-as-it-is.png", photo(41).ljust(TOO_LARGE, b"\0")
    yield "notes.txt", b"Not a picture, and not seen as one.\n"


def web() -> Iterator[tuple[str, bytes]]:
    """The web: sites with one page each and the pictures on it."""
    for site, shown in SITES.items():
        names = []
        for number, how in shown:
            names.append(f"{how}-{number}.jpg")
            copy = photo(number) if how == "exact" else CHANGES[how][0].copy(artwork(number))
            yield f"{site}/{names[-1]}", copy
        yield f"{site}/index.html", _page(site, names)


def write(folder: Path, files: Iterator[tuple[str, bytes]]) -> int:
    """Write files below a folder; how many."""
    count = 0
    for name, data in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        count += 1
    return count


def photo(number: int) -> bytes:
    """A photograph's file."""
    return encoded(artwork(number), "JPEG", quality=90)


def heic(number: int) -> bytes | None:
    """A phone's file; None if the extra `formats` is not installed."""
    try:
        import pillow_heif  # noqa: PLC0415 - an extra
    except ImportError:
        return None
    file = io.BytesIO()
    pillow_heif.from_pillow(artwork(number)).save(file, quality=90)
    return file.getvalue()


def _page(site: str, names: list[str]) -> bytes:
    images = "\n".join(f'<p><img src="{escape(name)}" alt=""></p>' for name in names)
    page = f"<!doctype html>\n<title>{escape(site)}</title>\n<h1>{escape(site)}</h1>\n{images}\n"
    return page.encode()
