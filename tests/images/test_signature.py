import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.images import kinds
from batchscan.images.signature import HEAD_BYTES, SEEN_EXTENSIONS, hint, sniff
from tests.support import pictures

HEADS = [
    (pictures.png(), kinds.PNG),
    (pictures.jpeg(), kinds.JPEG),
    (pictures.mpo(), kinds.JPEG),
    (pictures.gif(), kinds.GIF),
    (pictures.bmp(), kinds.BMP),
    (pictures.webp(), kinds.WEBP),
    (pictures.ico(), kinds.ICO),
    (pictures.tiff(), kinds.TIFF),
    (pictures.dng(), kinds.TIFF),
    (b"II*\0\x10\0\0\0CR\x02\0", kinds.CR2),
    (b"\0\0\0\x18ftypcrx \0\0\0\x01", kinds.CR3),
    (b"FUJIFILMCCD-RAW 0201", kinds.RAF),
    (b"IIRS\x08\0\0\0", kinds.ORF),
    (b"IIU\0\x18\0\0\0", kinds.RW2),
    (b"II\x1a\0\0\0HEAPCCDR", kinds.CRW),
    (b"\0MRM\0\0", kinds.MRW),
    (b"FOVb\0\0", kinds.X3F),
    (b"\0\0\0\x18ftypheic\0\0\0\0", kinds.HEIC),
    (b"\0\0\0\x18ftypavif\0\0\0\0", kinds.AVIF),
    (b"8BPS\0\x01", kinds.PSD),
    (b"\0\0\2\0\1\0\x20\x20", kinds.CUR),
    (b"RIFF\0\0\0\0ACON", kinds.CUR),
    (b"BA(\0\0\0\0\0\0\0\0\0\0\0CI", kinds.OS2),
    (b"CI\x4e\0\0\0\x10\0\x10\0\xe4\0\0\0\x40\0\0\0", kinds.OS2),
    (b"\1\0\0\0" + bytes(36) + b" EMF", kinds.WMF),
    (b"P6\n10 10\n255\n", kinds.PNM),
    (b"\n\5\1\x08\0\0\0\0", kinds.PCX),
    (b"\xef\xbb\xbf<?xml version='1.0'?>\n<svg xmlns='x'>", kinds.SVG),
    (b"%PDF-1.7\n", kinds.PDF),
]


@pytest.mark.parametrize(("head", "kind"), HEADS, ids=range(len(HEADS)))
def test_a_kind_is_known_by_its_first_bytes(head, kind):
    assert sniff(head[:HEAD_BYTES]) is kind


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"BM, the company",
        b"BA degree in arts",
        b"Plain text",
        b"P",
        b"<html>no drawing</html>",
        b"\0\0\2\0\0\0\0\0",  # a TGA, which has no signature
        b"RIFF\0\0\0\0AVI LIST",
        b"\0\0\0\x18ftypisom",
        b"PK\3\4",
        bytes(HEAD_BYTES),
    ],
)
def test_what_only_looks_a_little_like_a_picture_is_none(head):
    assert sniff(head) is None


@given(st.binary(max_size=HEAD_BYTES))
def test_any_bytes_can_be_looked_at(head):
    sniff(head)
    assert hint(head)


@pytest.mark.parametrize(
    ("head", "guess"),
    [
        (b"  <!DOCTYPE html>", "HTML"),
        (b'{"error": 1}', "JSON"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
        (b"\0\0\0\x18ftypisom", "video"),
        (b"???", "no picture's signature"),
    ],
)
def test_the_hint_names_what_a_download_left_instead(head, guess):
    assert guess in hint(head)


def test_extensions_of_pictures_are_seen_whether_accepted_or_not():
    accepted = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".gif", ".bmp", ".webp", ".ico"}
    raw = {".raw", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".rw2", ".orf", ".pef", ".srw"}
    others = {".heic", ".heif", ".avif", ".tif", ".tiff", ".svg", ".psd", ".jxl", ".tga", ".cur"}

    assert accepted | raw | others <= SEEN_EXTENSIONS
    assert not {".txt", ".pdf", ".mp4", ".zip", ""} & SEEN_EXTENSIONS
    assert all(name == name.lower() and name.startswith(".") for name in SEEN_EXTENSIONS)
