"""Whole scans of what the service would not take, and of what carries metadata."""

from __future__ import annotations

import hashlib
import io
import json
import os

import pytest
from PIL import Image

from batchscan.emulator import server, uploads
from batchscan.enums import RejectReason, Status
from batchscan.ledger import Ledger, Realm
from tests.support import pictures

pillow_heif = pytest.importorskip("pillow_heif")

SECRET = b"Secret Street 7"


def heic(w: int = 64, h: int = 48, seed: int = 0) -> bytes:
    out = io.BytesIO()
    pillow_heif.from_pillow(pictures.image(w, h, seed)).save(out, quality=80)
    return out.getvalue()


def with_secret(seed: int, note: bytes = SECRET) -> bytes:
    """A JPEG whose EXIF, XMP and trailer say where its owner lives."""
    plain = pictures.with_xmp(
        pictures.jpeg(seed=seed), pictures.xmp(f"<dc:rights>{note.decode()}</dc:rights>")
    )
    return plain + note


@pytest.fixture
async def received(monkeypatch):
    """The pictures that the emulator got."""
    got: list[bytes] = []
    read = uploads.read_upload

    async def keep(*args, **words):
        upload = await read(*args, **words)
        got.append(upload.image)
        return upload

    monkeypatch.setattr(server, "read_upload", keep)
    return got


async def test_what_the_service_does_not_take_is_sent_as_a_jpeg_made_of_it(bench, received):
    files = {"a.heic": heic(), "b.tif": pictures.tiff(seed=1), "c.png": pictures.png(seed=2)}
    pictures.tree(bench.images, files)

    ran = await bench.scan()

    assert ran.exit_code == 0
    assert {name: line.status for name, line in ran.lines.items()} == dict.fromkeys(
        files, Status.SCANNED
    )
    line = ran.lines["a.heic"]
    assert line.sha256 == hashlib.sha256(files["a.heic"]).hexdigest()
    assert (line.format, line.width, line.height, line.bytes) == (
        "heic",
        64,
        48,
        len(files["a.heic"]),
    )
    assert line.sent.recipe == "r1"
    assert (line.sent.format, line.sent.width, line.sent.height) == ("jpeg", 64, 48)
    assert line.sent.sha256 in {hashlib.sha256(data).hexdigest() for data in received}
    assert ran.lines["c.png"].sent is None
    assert files["c.png"] in received
    assert ran.report.files.converted == 2
    assert ran.report.files.converted_formats == {"heic": 1, "tiff": 1}


async def test_nothing_of_the_metadata_leaves(bench, received):
    pictures.tree(
        bench.images,
        {"a.jpg": with_secret(1), "b.dng": pictures.with_preview(pictures.dng(), with_secret(2))},
    )

    ran = await bench.scan()

    assert ran.report.files.scanned + ran.report.files.rejected == 2
    assert not any(SECRET in data for data in received)
    assert ran.lines["a.jpg"].sent.recipe == "s1"
    same = [Image.open(io.BytesIO(data)).tobytes() for data in (with_secret(1), received[0])]
    assert same[0] in {Image.open(io.BytesIO(data)).tobytes() for data in received}


async def test_with_keep_the_files_themselves_leave(bench, received):
    pictures.tree(bench.images, {"a.jpg": with_secret(1)})

    ran = await bench.scan(send={"metadata": "keep"})

    assert received == [with_secret(1)]
    assert ran.lines["a.jpg"].sent is None


async def test_a_converted_picture_is_unchanged_and_known_when_moved(bench, received):
    pictures.tree(bench.images, {"a.heic": heic()})
    first = await bench.scan()

    again = await bench.scan()
    (bench.images / "a.heic").rename(bench.images / "moved.heic")
    moved = await bench.scan()

    assert again.report.files.unchanged == 1
    assert moved.lines["moved.heic"].status is Status.REUSED
    assert moved.lines["moved.heic"].sent == first.lines["a.heic"].sent
    assert (moved.lines["moved.heic"].width, moved.lines["moved.heic"].height) == (64, 48)
    assert moved.report.files.converted == 0
    assert len(received) == 1


async def test_two_files_of_which_the_same_is_sent_are_one_answer(bench, received):
    pictures.tree(bench.images, {"a.jpg": with_secret(1), "b.jpg": with_secret(1, b"Other Road")})

    ran = await bench.scan()
    pictures.tree(bench.images, {"c.jpg": with_secret(1, b"Third Lane")})
    later = await bench.scan()
    settled = await bench.scan()

    assert len(received) == 1
    assert sorted(line.status for line in ran.lines.values()) == [Status.REUSED, Status.SCANNED]
    assert later.lines["c.jpg"].status is Status.REUSED
    assert later.lines["c.jpg"].sha256 == hashlib.sha256(with_secret(1, b"Third Lane")).hexdigest()
    assert later.lines["c.jpg"].credits == 0
    assert settled.report.files.unchanged == 3


async def test_a_file_that_equals_what_was_sent_for_another_needs_no_credit(bench, received):
    pictures.tree(bench.images, {"a.jpg": with_secret(1)})
    await bench.scan()
    (bench.images / "stripped.jpg").write_bytes(received[0])

    ran = await bench.scan()

    assert ran.lines["stripped.jpg"].status is Status.REUSED
    assert len(received) == 1


async def test_what_was_rejected_for_its_format_is_asked_when_conversion_is_on(bench, received):
    files = {
        "a.heic": heic(),
        "big.png": pictures.png(200, 200),
        "broken.png": pictures.png()[:900],
        "none.jpg": b"no picture",
        "v.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    }
    pictures.tree(bench.images, files)
    never = {"convert": "never"}
    limit = {"max_bytes": 10_000}
    first = await bench.scan(send=never, scan=limit)
    unchanged = await bench.scan(send=never, scan=limit)

    on = await bench.scan(scan=limit)
    settled = await bench.scan(scan=limit)

    assert first.lines["a.heic"].reason == RejectReason.UNSUPPORTED_FORMAT
    assert unchanged.report.files.unchanged == 5
    assert set(on.lines) == {"a.heic", "v.svg"} | (
        {"big.png"} if len(files["big.png"]) >= 10_000 else set()
    )
    assert on.lines["a.heic"].status is Status.SCANNED
    assert on.lines["v.svg"].status is Status.REJECTED
    assert settled.report.files.unchanged == 5


async def test_a_large_file_is_converted_from_where_it_lies(bench, received):
    big = pictures.png(300, 300, 5)
    pictures.tree(bench.images, {"big.png": big, "big.dat.jpg": b"x" * 20_000})

    ran = await bench.scan(scan={"max_bytes": 10_000})

    assert len(big) > 10_000
    assert ran.lines["big.png"].status is Status.SCANNED
    assert ran.lines["big.png"].sha256 == hashlib.sha256(big).hexdigest()
    assert (ran.lines["big.png"].width, ran.lines["big.png"].sent.width) == (300, 300)
    assert ran.lines["big.dat.jpg"].reason == RejectReason.TOO_LARGE


async def test_too_many_pixels_are_sent_smaller(bench, received):
    pictures.tree(bench.images, {"wide.jpg": pictures.jpeg(3000, 20)})

    ran = await bench.scan(scan={"max_pixels": 50_000})

    assert ran.lines["wide.jpg"].sent.width == 2048
    assert Image.open(io.BytesIO(received[0])).size == (2048, 14)


async def test_a_dry_run_counts_what_would_be_converted(bench, received):
    files = {"a.heic": heic(), "b.heic": heic(seed=1)[:600], "copy of a.heic": heic()}
    pictures.tree(bench.images, files)

    ran = await bench.scan(dry_run=True)

    assert ran.report.files.converted == ran.report.run.plan.pictures == 1
    assert ran.lines["a.heic"].sent.recipe == "r1"
    assert ran.lines["b.heic"].reason == RejectReason.CORRUPT
    assert received == []


async def test_damaged_files_of_every_kind_are_rejected_and_the_next_is_scanned(bench):
    tiff = pictures.tiff()
    files = {
        "cut.heic": heic()[:500],
        "noise.avif": b"\0\0\0\x1cftypavif" + bytes(range(256)) * 8,
        "cut.tif": tiff[: len(tiff) // 2],
        "huge.psd": b"8BPS\0\1" + bytes(6) + b"\0\3\0\4\x93\xe0\0\4\x93\xe0\0\x08\0\3" + bytes(40),
        "z.png": pictures.png(),
    }
    pictures.tree(bench.images, files)

    ran = await bench.scan()

    assert ran.lines["z.png"].status is Status.SCANNED
    others = {name: line for name, line in ran.lines.items() if name != "z.png"}
    assert {line.status for line in others.values()} == {Status.REJECTED}
    assert all(line.detail for line in others.values())


async def test_the_report_says_what_was_sent_instead(bench):
    pictures.tree(bench.images, {"a.heic": heic()})

    ran = await bench.scan()
    written = json.loads((bench.folder / "output" / "latest" / "report.json").read_bytes())

    assert written["files"]["converted"] == 1
    assert ran.exit_code == 0


async def test_export_says_of_each_file_its_own_hash_and_what_was_sent(bench):
    first, second = with_secret(1), with_secret(1, b"Other Road")
    pictures.tree(bench.images, {"a.jpg": first, "b.jpg": second, "c.heic": heic()})
    await bench.scan()
    api = bench.emulator.url

    with_ledger = Ledger.read(bench.folder / "state", Realm(api, sandbox=False))
    known = {os.path.basename(file.path): file for file in with_ledger.reporting.files()}
    with_ledger.close()

    assert known["a.jpg"].sha256 == hashlib.sha256(first).hexdigest()
    assert known["b.jpg"].sha256 == hashlib.sha256(second).hexdigest()
    stripped, made = known["a.jpg"].sent, known["c.heic"].sent
    assert stripped
    assert made
    assert stripped == known["b.jpg"].sent
    assert stripped.recipe == "s1"
    assert (known["c.heic"].format, made.recipe) == ("heic", "r1")
    assert "pillow" in made.made_with
