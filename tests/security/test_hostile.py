"""File names and answers of other people, where they are shown: they steer and run nothing."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import unicodedata
from email.parser import BytesParser
from email.policy import HTTP

import pytest
from aiohttp import web

from batchscan.copyleaks.requests import check_form
from batchscan.images.file_name import safe_file_name
from batchscan.run import Scan
from tests.support.commands import said, started
from tests.support.hostile import NAMES
from tests.support.pictures import png
from tests.support.result_lines import read_lines
from tests.support.servers import serving

URLS = [
    '=HYPERLINK("http://evil.test","click")',  # the first one begins the table's cell
    "javascript:alert(document.domain)",
    "data:text/html,<script>alert(1)</script>",
    "https://example.com/<script>alert(1)</script>.jpg",
    "https://example.com/\x1b[2J\x9b1m\x00\x07.jpg",
    "https://example.com/\u202egpj.exe\u2066",
    'https://example.com/\r\n"},{"status":"scanned"}\u2028\u0085',
    "\uff1dcmd|'/C calc'!A0",
    "-2+3",
    "https://ex\u202eample.com\x1b.test/a.jpg",
    "https://example.com/" + "x" * 100_000,
]


@pytest.fixture
async def hostile(bench):
    """A bench whose pictures have such names, and a service that answers with such URLs."""

    async def check(request: web.Request) -> web.Response:
        await request.read()
        found = [
            {"url": url, "matchType": number % 2, "webPages": [{"url": f"{url}#page"}]}
            for number, url in enumerate(URLS)
        ]
        image = {"scanId": request.match_info["id"], "actualCredits": 1, "expectedCredits": 1}
        return web.json_response({"scannedImage": image, "matches": {"internet": found}})

    async def login(request: web.Request) -> web.Response:
        return web.json_response({"access_token": "t0ken-of-a-hostile-service"})

    async def balance(request: web.Request) -> web.Response:
        return web.json_response({"Amount": 1})

    os.makedirs(bench.images, exist_ok=True)
    for number, name in enumerate(NAMES):
        (bench.images / os.fsdecode(name)).write_bytes(png(16, 16, number))
    async with serving(
        web.post("/v3/account/login/api", login),
        web.post("/v1/image-plagiarism-detector/{id}/check", check),
        web.get("/v3/scans/credits", balance),
    ) as url:
        bench.emulator = type("Service", (), {"url": url})()
        yield bench


def steering(text: str) -> set[str]:
    """Characters that a terminal would act on, but for the line feeds of our own lines."""
    kinds = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    return {char for char in text if unicodedata.category(char) in kinds} - {"\n"}


@pytest.mark.slow
async def test_no_output_of_a_scan_steers_the_terminal_and_every_line_is_one_object(hostile):
    log = hostile.folder / "scan.log"
    process = await started(
        hostile, "-v", "--rate", "1000/s", "--log-file", str(log), str(hostile.images)
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err

    files = list((hostile.folder / "output" / "runs").glob("*/*"))
    texts = [out.decode(), err.decode(), log.read_text(), *(file.read_text() for file in files)]
    names = {file.name for file in files}
    assert names == {"results.jsonl", "report.json", "report.html", "matches.csv"}
    for text in texts:
        assert steering(text.removeprefix("\ufeff").replace("\r\n", "\n")) == set()
    assert "scanned" in texts[1]  # -v named every file
    assert all(len(line) < 1000 for line in out.decode().splitlines())
    [results] = [file for file in files if file.name == "results.jsonl"]
    # However a reader splits lines, each is one whole object, and nothing was lost of the names.
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    assert {os.path.basename(path_of(line)) for line in lines} == set(NAMES)
    for line in lines:
        assert {match["url"] for match in line["matches"]} == set(URLS)
        assert line["status"] == "scanned"


def path_of(line) -> bytes:
    return base64.b64decode(line["path_b64"]) if line["path_b64"] else line["path"].encode()


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("export",),
        ("export", "--format", "csv"),
        ("report", "--json"),
        ("report",),
        ("report", "--markdown", "-"),
        ("report", "--junit", "-"),
        ("report", "--html", "-"),
    ],
)
async def test_what_is_shown_again_steers_nothing_either(hostile, words):
    async with Scan(hostile.settings(), hostile.clock) as run:
        assert len([outcome async for outcome in run]) == len(NAMES)
    process = await started(hostile, *words)
    out, err = await process.communicate()
    text = out.decode("utf-8-sig")  # a table begins with a byte order mark

    assert process.returncode == 0, err
    assert steering(text.replace("\r\n", "\n")) == set()
    if words == ("export",):
        assert len([json.loads(line) for line in text.splitlines()]) == len(NAMES)
    if "csv" in words:
        _, *rows = csv.reader(io.StringIO(text))
        # A row for each match: these addresses are too long for one cell.
        assert len(rows) == len(NAMES) * len(URLS) == len(text.splitlines()) - 1
        for cell in (cell for row in rows for cell in row):
            assert unicodedata.normalize("NFKC", cell[:1]) not in ("=", "+", "-", "@", "\t", "\r")


async def test_a_reader_of_results_gets_every_string_back_as_it_was(hostile):
    async with Scan(hostile.settings(), hostile.clock) as run:
        outcomes = {outcome.subject.path: outcome async for outcome in run}
    for line in read_lines(f"{run.folder}/results.jsonl"):
        path = os.fsdecode(path_of({"path": line.path, "path_b64": line.path_b64}))
        assert [match.url for match in line.matches] == URLS
        assert outcomes[path].subject.sha256 == line.sha256


@pytest.mark.parametrize("name", NAMES)
def test_no_name_adds_a_part_or_a_header_to_a_request(name):
    file_name = safe_file_name("/p/" + os.fsdecode(name), ".png")
    form = check_form("bs-1", b"picture", file_name, "image/png", sandbox=False)
    head = f"Content-Type: multipart/form-data; boundary={form.boundary}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + form.head + form.image + form.tail)
    parts = list(message.iter_parts())

    assert [part.get_param("name", header="content-disposition") for part in parts] == [
        "image",
        "filename",
        "sandbox",
    ]
    assert parts[0].keys() == ["Content-Disposition", "Content-Type"]
    assert parts[0].get_payload(decode=True) == b"picture"
    assert parts[1].get_payload(decode=True) == file_name.encode()
    assert parts[2].get_payload() == "false"


async def test_a_hostile_error_message_becomes_one_short_printable_line(bench):
    words = "\x1b[2J\u202e<script>\x00" + "x" * 100_000

    async def login(request: web.Request) -> web.Response:
        return web.json_response({"error": {"message": words, "type": words}}, status=401)

    bench.pictures(1)
    async with serving(web.post("/v3/account/login/api", login)) as url:
        bench.emulator = type("Service", (), {"url": url})()
        code, out, err = await said(bench, str(bench.images))

    assert code == 4
    assert steering(out + err) == set()
    assert all(len(line) < 600 for line in err.splitlines())


@pytest.mark.parametrize(
    "words",
    [("scan", "./no\x1b[2J\u202esuch"), ("--\x1b[2Jflag",), ("./x", "--rate", "\x1b[2J"),
     ("./x", "-c", "/no\x1b[2J\nsuch"), ("report", "\x1b[2J\u202e")],
)  # fmt: skip
async def test_a_hostile_word_on_the_command_line_is_shown_plainly(bench, words):
    code, out, err = await said(bench, *words)

    assert (code, out) == (2, "")
    assert steering(err) == set()
    assert "2J" in err
