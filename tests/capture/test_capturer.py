"""What a capture holds, against a real server, read back by warcio."""

from __future__ import annotations

import gzip
import hashlib
import io
import stat
import zlib
from pathlib import Path

import pytest
from PIL import Image
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from batchscan.enums import CaptureKind
from tests.capture.conftest import PAGE, PICTURE, chosen
from tests.support.pictures import png
from tests.support.web_sites import NOT_THERE, ok, site

COPY = png(320, 240, 3)
HTML = b"""<html><head><link rel=stylesheet href='/s.css'><script src=x.js></script></head>
<img src="copy.png"><img src='other.png#x'><img src="http://10.0.0.1/private.png"></html>"""


def answers(path: str) -> bytes:
    return {
        "/copy.png": ok(COPY, "Content-Type: image/png; x=1", "Set-Cookie: a=b"),
        "/page.html": ok(gzip.compress(HTML), "Content-Encoding: gzip", "Content-Type: text/html"),
        "/s.css": ok(b"p{}", "Content-Type: text/css", "X-Odd: \xe9\xff"),
        "/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "/there": b"HTTP/1.1 302 Found\r\nLocation: /copy.png\r\nContent-Length: 0\r\n\r\n",
    }.get(path, NOT_THERE)


def records(path: Path) -> list[tuple[str, str | None, bytes, bytes]]:
    """Kind, address, head and body of each record."""
    found = []
    with open(path, "rb") as file:
        for record in ArchiveIterator(file, no_record_parse=False):
            head = record.http_headers.to_str().encode("latin-1") if record.http_headers else b""
            url = record.rec_headers.get_header("WARC-Target-URI")
            found.append((record.rec_type, url, head, record.raw_stream.read()))
    return found


async def captured(capturer, tmp_path, *args):
    async with site(answers) as web:
        made = capturer(web.client())
        file = await made.capture(chosen(*args))
    path = Path(made.path_of(file.name))
    assert path.parent == tmp_path / "captures"
    return file, path, web


async def test_a_capture_holds_picture_page_and_what_it_is_made_of_as_transferred(
    capturer, tmp_path
):
    file, path, web = await captured(capturer, tmp_path, PICTURE, PAGE)

    found = {url: (head, body) for kind, url, head, body in records(path) if kind == "response"}
    assert [*found] == [
        PICTURE, PAGE, "http://site.example/s.css", "http://site.example/other.png",
    ]  # fmt: skip
    assert found[PICTURE][1] == COPY
    assert b"Set-Cookie: a=b" in found[PICTURE][0]
    assert b"X-Odd: \xe9\xff\r\n" in gzip.decompress(path.read_bytes())
    assert zlib.decompress(found[PAGE][1], 47) == HTML  # still compressed
    assert [kind for kind, *_ in records(path)][:3] == ["warcinfo", "response", "request"]
    assert not any(
        name.lower().startswith("cookie") for head in web.heads for name in head.split("\r\n")
    )

    picture, page, *rest = file.resources
    assert (picture.kind, picture.http_status, picture.media_type) == (
        CaptureKind.PICTURE,
        200,
        "image/png",
    )
    assert (picture.sha256, picture.size) == (hashlib.sha256(COPY).hexdigest(), len(COPY))
    assert page.sha256 == hashlib.sha256(HTML).hexdigest()
    assert [(each.url[-9:], each.http_status) for each in rest] == [
        ("ple/s.css", 200), ("other.png", 404), ("ivate.png", None),
    ]  # fmt: skip
    assert "not a public address" in rest[2].trouble
    assert picture.preview is not None
    with Image.open(io.BytesIO(picture.preview)) as small:
        assert (small.format, small.size) == ("JPEG", (320, 240))


async def test_a_file_is_private_measured_and_each_record_can_be_read_alone(capturer, tmp_path):
    file, path, _ = await captured(capturer, tmp_path, PICTURE, PAGE)
    data = path.read_bytes()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert (file.size, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    for each in file.resources:
        first = next(iter(ArchiveIterator(io.BytesIO(data[each.position :]))))
        assert first.rec_headers.get_header("WARC-Target-URI") == each.url
    assert file.name.startswith("20261123T180237Z-abababab-")


@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_warcios_own_check_passes(capturer, tmp_path, capsys):
    _, path, _ = await captured(capturer, tmp_path, PICTURE, PAGE)

    class Command:
        inputs = [str(path)]  # noqa: RUF012 - as its parser gives it
        verbose = True

    checker = Checker(Command())
    checker.process_all()
    assert checker.exit_value == 0
    assert "fail" not in capsys.readouterr().out


async def test_redirects_and_what_no_archive_can_hold_are_kept_in_their_way(capturer, tmp_path):
    file, path, _ = await captured(
        capturer, tmp_path, "http://site.example/there", "http://site.example/chunked"
    )
    responses = [(url, head, body) for kind, url, head, body in records(path) if kind == "response"]

    assert [url for url, *_ in responses] == [
        "http://site.example/there", PICTURE, "http://site.example/chunked",
    ]  # fmt: skip
    assert b"X-Archive-Orig-Transfer-Encoding: chunked" in responses[2][1]
    assert responses[2][2] == b"abc"
    assert file.resources[0].http_status == 200


@pytest.mark.parametrize(
    ("url", "trouble"),
    [
        ("http://127.0.0.1/a", "not a public address"),
        ("http://[::ffff:127.0.0.1]/a", "not a public address"),
        ("http://169.254.169.254/latest", "not a public address"),
        ("file:///etc/passwd", "only http:// and https://"),
        ("http://site.example:8080/a", "only ports 80 and 443"),
        ("http://x.example/\r\nWARC-Type: response", "unknown host"),
        ("", "only http:// and https://"),
    ],
)
async def test_resources_that_are_not_requested_are_reported_and_leave_the_file_valid(
    capturer, tmp_path, url, trouble
):
    file, path, web = await captured(capturer, tmp_path, url)

    assert web.heads == []
    assert trouble in file.resources[0].trouble
    assert file.resources[0].http_status is None
    assert [kind for kind, *_ in records(path)] == ["warcinfo", "metadata"]


async def test_a_body_that_is_no_picture_has_no_preview_and_is_kept(capturer, tmp_path):
    async with site(lambda _: ok(b"<html>not it</html>", "Content-Type: image/jpeg")) as web:
        file = await capturer(web.client()).capture(chosen())

    assert file.resources[0].preview is None
    assert file.resources[0].http_status == 200
