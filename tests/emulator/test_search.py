from __future__ import annotations

import io
import subprocess
import sys
from functools import cache

import pytest
from PIL import Image, ImageEnhance, ImageOps

from batchscan.emulator import Emulator
from batchscan.emulator.matching.similarity import FULL, PARTIAL, PictureFeatures, fingerprint
from batchscan.errors import UsageError
from tests.support import pictures
from tests.support.comparing import compare
from tests.support.emulator_client import lenient

SEEDS = [*range(3), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 12))]
SIZE = (320, 240)


@cache
def original(seed: int) -> Image.Image:
    """Not to be changed."""
    return pictures.image(*SIZE, seed)


@cache
def fingerprint_of(seed: int) -> PictureFeatures:
    return fingerprint(saved(original(seed)))


def saved(picture: Image.Image, form: str = "PNG", **options) -> bytes:
    return pictures.encoded(picture, form, **options)


def recompressed(picture: Image.Image) -> bytes:
    return saved(picture, "JPEG", quality=25)


def turned_by_exif(picture: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # the viewer is to turn it a quarter to the right
    return saved(picture.transpose(Image.Transpose.ROTATE_90), exif=exif)


SAME = {
    "another format": lambda p: saved(p, "BMP"),
    "metadata": lambda p: saved(p, pnginfo=None, dpi=(72, 72)),
    "hardly compressed": lambda p: saved(p, "JPEG", quality=98, subsampling=0),
    "turned by its metadata": turned_by_exif,
}
CHANGED = {
    "smaller": lambda p: saved(p.resize((100, 75))),
    "larger": lambda p: saved(p.resize((500, 375))),
    "stretched": lambda p: saved(p.resize((300, 300))),
    "recompressed": recompressed,
    "grey": lambda p: saved(p.convert("L")),
    "sepia": lambda p: saved(ImageOps.colorize(p.convert("L"), "#221100", "#ffeedd")),
    "brighter": lambda p: saved(ImageEnhance.Brightness(p).enhance(1.2)),
    "more contrast": lambda p: saved(ImageEnhance.Contrast(p).enhance(1.3)),
    "few colours": lambda p: saved(p.quantize(64), "GIF"),
}


@pytest.mark.parametrize("how", SAME)
@pytest.mark.parametrize("seed", SEEDS)
def test_exact_and_near_exact_copies_are_full(how, seed):
    assert compare(fingerprint_of(seed), fingerprint(SAME[how](original(seed)))) == FULL


@pytest.mark.parametrize("how", CHANGED)
@pytest.mark.parametrize("seed", SEEDS)
def test_altered_copies_are_partial(how, seed):
    assert compare(fingerprint_of(seed), fingerprint(CHANGED[how](original(seed)))) == PARTIAL


def test_unrelated_pictures_are_not_alike():
    found = [fingerprint(pictures.png(160, 120, seed)) for seed in range(80)]
    pairs = [(one, two) for number, one in enumerate(found) for two in found[:number]]
    assert [compare(one, two) for one, two in pairs] == [None] * len(pairs)


def test_flat_pictures_are_alike_only_where_they_are_the_same():
    red, blue = (fingerprint(saved(Image.new("RGB", SIZE, name))) for name in ("red", "blue"))
    small = fingerprint(saved(Image.new("RGB", (100, 75), "red")))
    assert compare(red, red) == FULL
    assert compare(red, blue) is None
    assert compare(red, small) is None


def test_what_is_transparent_is_white():
    clear = Image.new("RGBA", SIZE)
    clear.paste(original(1).resize((160, 120)), (0, 0))
    white = Image.new("RGB", SIZE, "white")
    white.paste(original(1).resize((160, 120)), (0, 0))
    assert compare(fingerprint(saved(clear)), fingerprint(saved(white))) == FULL


PAGE = '<title>A page</title><img src="{}"><p>with words'


@pytest.fixture
def web(tmp_path):
    """A web with a copy, an altered copy, a twin of the copy, and strangers."""
    picture = original(1)
    files = {
        "news/copy.png": saved(picture),
        "news/small.jpg": saved(picture.resize((160, 120)), "JPEG"),
        "twin.png": saved(picture),
        "page.html": PAGE.format("news/copy.png").encode(),
        "news/other.htm": b'<a href="copy.png">big</a><img srcset="small.jpg 1x, twin.png 2x">',
        "broken.jpg": b"\xff\xd8\xff\xe0 no more",
        "text.txt": saved(picture),
        **{f"stranger-{seed}.png": saved(original(seed)) for seed in range(2, 8)},
    }
    root = pictures.tree(tmp_path / "web", files)
    (root / "link.png").symlink_to(root / "twin.png")
    return root


async def test_copies_are_found_full_ones_first_with_their_pages(serve, web):
    vendor = await serve(lenient(web=web))
    answer = (await vendor.check(image=saved(original(1)))).json
    url = vendor.emulator.web_url
    assert answer["matches"] == {
        "internet": [
            {"url": url("twin.png"), "matchType": 0},
            {
                "url": url("news/copy.png"),
                "matchType": 0,
                "webPages": [{"url": url("page.html")}, {"url": url("news/other.htm")}],
            },
            {
                "url": url("news/small.jpg"),
                "matchType": 1,
                "webPages": [{"url": url("news/other.htm")}],
            },
        ],
        "score": {"totalMatches": 3, "fullMatches": 2, "partialMatches": 1},
    }


async def test_a_picture_that_is_not_there_is_not_found(serve, web):
    vendor = await serve(lenient(web=web))
    reply = await vendor.check(image=pictures.jpeg(*SIZE, 99))
    assert reply.json["matches"]["internet"] == []


async def test_every_url_of_an_answer_opens(serve, web):
    vendor = await serve(lenient(web=web))
    answer = (await vendor.check(image=saved(original(1)))).json
    for match in answer["matches"]["internet"]:
        for each in [match, *match.get("webPages", [])]:
            path = each["url"].removeprefix(vendor.emulator.url)
            assert (await vendor.ask("GET", path)).status == 200


async def test_a_picture_that_cannot_be_decoded_is_refused_and_not_charged(serve, web):
    vendor = await serve(lenient(web=web, credits=5))
    refused = await vendor.check(image=saved(original(1))[:2000])
    assert (refused.status, refused.json["error"]["code"]) == (400, 14)
    assert vendor.emulator.account.balance == 5


async def test_camera_raw_is_looked_for_by_its_bytes_alone(serve, web):
    vendor = await serve(lenient(web=web))
    reply = await vendor.check(image=pictures.dng(), name="a.dng")
    assert (reply.status, reply.json["matches"]["internet"]) == (200, [])


async def test_no_match_is_found_without_a_web_to_search(serve, web):
    vendor = await serve(lenient(web=web, search=False))
    reply = await vendor.check(image=saved(original(1)))
    assert reply.json["matches"]["internet"] == []


async def test_a_web_that_is_no_folder_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="not a folder"):
        async with Emulator(lenient(web=tmp_path / "none")):
            pass


async def test_an_emulator_that_is_not_running_has_no_url():
    with pytest.raises(RuntimeError, match="not running"):
        _ = Emulator(lenient()).url


async def test_leaving_at_once_does_not_wait_for_the_index(tmp_path):
    many = {f"{number}.bmp": pictures.bmp(seed=number) for number in range(200)}
    async with Emulator(lenient(web=pictures.tree(tmp_path, many))):
        pass


def test_search_needs_no_scipy(tmp_path):
    (tmp_path / "a.png").write_bytes(saved(original(1)))
    program = f"""
import asyncio, sys
sys.modules["scipy"] = sys.modules["imagehash"] = None
from pathlib import Path
from batchscan.emulator import Emulator, EmulatorConfig
from batchscan.emulator.matching import index

async def main():
    async with Emulator(EmulatorConfig(web=Path({str(tmp_path)!r}))):
        pass

asyncio.run(main())
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def test_a_picture_of_many_frames_is_known_by_its_first():
    first = pictures.image(64, 48, 1000)
    mine = fingerprint(saved(first))
    assert compare(mine, fingerprint(pictures.animated_png(seed=1))) == FULL


def test_hostile_bytes_raise_what_pillow_raises():
    with pytest.raises(OSError, match="cannot identify"):
        fingerprint(io.BytesIO(b"no picture").getvalue())
