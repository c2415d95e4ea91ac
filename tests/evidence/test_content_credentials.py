"""Content Credentials of our pictures: what is said of them, and that nothing is ever fetched."""

from __future__ import annotations

import builtins
import json

import pytest

from batchscan.evidence.content_credentials import describe, read_credentials
from tests.support.content_credentials import signed
from tests.support.evidence_ledgers import answer, answered, image, members, packed
from tests.support.pictures import encoded
from tests.support.pictures import image as drawn
from tests.support.servers import scripted

PLAIN = encoded(drawn(64, 48, 1), "JPEG", quality=90)


@pytest.fixture(scope="module")
def ours() -> bytes:
    return signed(PLAIN, "Ann & <b>Co</b>")


def test_what_is_as_it_was_signed_is_valid_and_names_its_issuer(ours):
    found = read_credentials(ours)

    assert (found.state, found.issuer, found.made_with) == ("valid", "Ann & <b>Co</b>", "test")
    assert found.problems == []


def test_a_changed_pixel_makes_them_invalid(ours):
    changed = bytearray(ours)
    changed[-100] ^= 1
    found = read_credentials(bytes(changed))

    assert (found.state, found.issuer) == ("invalid", "Ann & <b>Co</b>")
    assert found.problems == ["assertion.dataHash.mismatch"]


@pytest.mark.parametrize("data", [PLAIN, b"", b"no picture", b"\xff\xd8\xff garbage", PLAIN[:50]])
def test_what_has_none_says_so_whatever_it_is(data):
    assert read_credentials(data).state in ("absent", "unreadable")
    assert read_credentials(PLAIN).state == "absent"


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9])
def test_damaged_ones_raise_nothing(ours, cut):
    assert read_credentials(ours[: int(len(ours) * cut)]).state != "valid"


async def test_credentials_that_are_elsewhere_are_never_fetched():
    asked = []

    async def script(reader, writer):
        asked.append(await reader.read(1))

    async with scripted(script) as url:
        found = read_credentials(signed(PLAIN, "Ann", remote=f"{url}/a.c2pa"))

    assert (found.state, asked) == ("elsewhere", [])


def test_a_pack_says_them_beside_what_the_metadata_says(ledger, ours, tmp_path):
    for name, data in (("a.jpg", ours), ("b.jpg", PLAIN)):
        (tmp_path / name).write_bytes(data)
        answered(ledger, image(str(tmp_path / name), data, "jpeg"), answer("http://e.example/1"))
    answered(ledger, image("/gone.jpg", b"gone", "jpeg"), answer("http://e.example/1"))
    packed(ledger, tmp_path / "e.zip", domains=["e.example"])
    inside = members(tmp_path / "e.zip")

    records = [json.loads(data) for name, data in inside.items() if name[:9] == "pictures/"]
    states = {each["paths"][0]["path"][-6:]: each["content_credentials"] for each in records}
    assert states["/a.jpg"]["state"] == "valid"
    assert states["/b.jpg"] == {"state": "absent", "issuer": None, "signed_at": None, "made_with": None, "problems": []}  # fmt: skip
    assert states["ne.jpg"]["state"] == "not_read"
    page = inside["case.html"].decode()
    assert "signed by Ann &amp; &lt;b&gt;Co&lt;/b&gt;: the picture is as it was signed" in page
    assert page.count("No Content Credentials") == 1


def test_without_the_library_they_are_not_read(ours, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "c2pa":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    assert read_credentials(ours).state == "not_read"
    assert describe(read_credentials(ours)) is None
