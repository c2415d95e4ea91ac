from __future__ import annotations

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.emulator.uploads import BadUpload, UploadForm, measure
from tests.support import pictures
from tests.support.emulator_client import lenient


@pytest.mark.parametrize(
    ("make", "size"),
    [
        (pictures.png, (64, 48)),
        (pictures.gif, (64, 48)),
        (pictures.bmp, (64, 48)),
        (pictures.webp, (64, 48)),
        (pictures.ico, (32, 32)),
        (pictures.mpo, (64, 48)),
        (pictures.dng, (64, 48)),
    ],
)
async def test_every_format_of_the_vendors_list_is_taken(serve, make, size):
    vendor = await serve()
    reply = await vendor.check(image=make())
    image = reply.json["scannedImage"]
    assert (image["width"], image["height"]) == size


async def test_a_tiff_is_camera_raw_by_its_name_alone(serve):
    vendor = await serve()
    assert (await vendor.check("id-1", pictures.tiff(), "a.nef")).status == 200
    assert (await vendor.check("id-2", pictures.tiff(), "a.tif")).status == 415


@pytest.mark.parametrize("image", [b"no picture", pictures.tga(), b"<svg></svg>", b"%PDF-1.7"])
async def test_other_formats_are_refused_with_code_10(serve, image):
    vendor = await serve()
    refused = await vendor.check(image=image)
    assert (refused.status, refused.json["error"]["code"]) == (415, 10)


@pytest.mark.parametrize("image", [b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n cut"])
async def test_a_broken_picture_is_refused_with_code_14(serve, image):
    vendor = await serve()
    refused = await vendor.check(image=image)
    assert (refused.status, refused.json["error"]["code"]) == (400, 14)


async def test_a_picture_must_be_smaller_than_the_limit(serve):
    image = pictures.bmp()
    vendor = await serve(lenient(max_bytes=len(image)))
    refused = await vendor.check(image=image)
    assert (refused.status, refused.json["error"]["code"]) == (413, 6)
    vendor = await serve(lenient(max_bytes=len(image) + 1))
    assert (await vendor.check(image=image)).status == 200


async def test_far_too_large_a_body_is_refused_unread(serve):
    vendor = await serve(lenient(max_bytes=1000))
    refused = await vendor.post("my-1", b"x" * 200_000, **{"Content-Type": "multipart/form-data"})
    assert (refused.status, refused.json["error"]["code"]) == (413, 6)
    assert vendor.emulator.journal.of("check")[0].sha256 is None


async def test_a_picture_may_have_as_many_pixels_as_the_limit(serve):
    vendor = await serve(lenient(max_pixels=64 * 48))
    assert (await vendor.check("id-1", pictures.png(64, 48))).status == 200
    refused = await vendor.check("id-2", pictures.png(65, 48))
    assert (refused.status, refused.json["error"]["code"]) == (413, 6)


async def test_a_chunked_upload_has_no_size(serve):
    vendor = await serve()

    async def pieces():
        yield b"--b--\r\n"

    refused = await vendor.post(
        "my-1", pieces(), **{"Content-Type": "multipart/form-data; boundary=b"}
    )
    assert (refused.status, refused.json["error"]["code"]) == (411, 22)


async def test_only_multipart_is_taken(serve):
    vendor = await serve()
    refused = await vendor.post("my-1", b"{}", **{"Content-Type": "application/json"})
    assert (refused.status, refused.json["error"]["code"]) == (415, 20)


def field(name: str, value: bytes, *headers: str) -> bytes:
    lines = "".join(f"{header}\r\n" for header in headers)
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n{lines}\r\n'
    return head.encode() + value + b"\r\n"


IMAGE = field("image", pictures.jpeg())


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 1),
        (b"no form at all", 1),
        (b"--b\r\n: x\r\n\r\n\r\n--b--\r\n", 1),
        (b"--b\r\n" + b"x" * 9000 + b": y\r\n\r\n--b--\r\n", 1),
        (field("filename", b"a.jpg") + b"--b--\r\n", 1),
        (IMAGE + field("filename", b"\xff\xfe") + b"--b--\r\n", 1),
        (IMAGE + IMAGE + b"--b--\r\n", 21),
        (IMAGE + b"--b--\r\n", 24),
        (IMAGE + field("filename", b"a" * 256) + b"--b--\r\n", 24),
    ],
)
async def test_a_form_without_its_parts_is_refused(serve, body, code):
    vendor = await serve()
    refused = await vendor.post("my-1", body, **{"Content-Type": "multipart/form-data; boundary=b"})
    assert (refused.status, refused.json["error"]["code"]) == (400, code)


async def test_a_form_without_a_boundary_is_refused(serve):
    vendor = await serve()
    refused = await vendor.post("my-1", b"abc", **{"Content-Type": "multipart/form-data"})
    assert refused.status == 400


async def test_other_parts_are_ignored(serve):
    vendor = await serve()
    nested = field(
        "more", b"--c\r\n\r\nabc\r\n--c--\r\n", "Content-Type: multipart/mixed; boundary=c"
    )
    body = IMAGE + nested + field("new", b"x") + field("filename", b"a.jpg") + b"--b--\r\n"
    reply = await vendor.post("my-1", body, **{"Content-Type": "multipart/form-data; boundary=b"})
    assert reply.status == 200


async def test_the_parts_own_name_replaces_a_missing_one(serve):
    vendor = await serve()
    assert (await vendor.check(name=None)).json["scannedImage"]["filename"] == "part.jpg"


async def test_the_unauthorised_are_refused_whatever_they_send(serve):
    vendor = await serve(login=False)
    assert (await vendor.check(image=b"")).status == 401
    async with aiohttp.ClientSession() as vendor.session:
        assert (await vendor.post("my-1", b"")).status == 401


@given(
    st.sampled_from([pictures.png(), pictures.gif(), pictures.webp(), pictures.ico(), b""]),
    st.integers(0, 400),
    st.binary(max_size=40),
)
def test_hostile_bytes_are_measured_or_refused(start, kept, rest):
    upload = UploadForm(start[:kept] + rest, "", "a.jpg", False, None)
    try:
        _, size = measure(upload, 20_000_000, 75_000_000)
    except BadUpload:
        return
    assert size.pixels <= 75_000_000
