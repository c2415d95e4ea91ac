from __future__ import annotations

import asyncio
import json
import zipfile
import zlib
from pathlib import Path

import pytest

from batchscan.cli import main
from batchscan.emulator import Emulator, EmulatorConfig
from tests.support.bench import FAST, Bench
from tests.support.pictures import encoded, image, png, tree, with_exif
from tests.support.wire import Passage, Wire


@pytest.fixture(scope="module")
def scanned(tmp_path_factory):
    """Two scans of three pictures, two of which are on the web; gives every body that was sent."""
    folder = tmp_path_factory.mktemp("scanned")
    mine = with_exif(encoded(image(320, 240, 1), "JPEG", quality=95), {315: "Ann"})
    web = {
        "shop.example/a.jpg": mine,
        "shop.example/index.html": b'<img src="a.jpg">',
        "blog.example/b.png": png(320, 240, 2),
    }
    tree(folder / "web", web)
    tree(folder / "images", {"a.jpg": mine, "b.png": png(320, 240, 2), "c.png": png(320, 240, 9)})
    sent: list[bytes] = []

    async def recorded(passage: Passage) -> None:
        answer = await passage.answered()
        head, _, body = answer.partition(b"\r\n\r\n")
        sent.append(body if b"Content-Encoding" not in head else zlib.decompress(body, 47))
        await passage.say(answer)

    async def scans() -> None:
        async with (
            Emulator(EmulatorConfig(web=folder / "web", rates=FAST, sites=True)) as emulator,
            Wire(emulator.url) as wire,
        ):
            wire.script = recorded
            for force in (False, True):
                await Bench(folder, emulator).scan(api=wire.api(), force=force)

    asyncio.run(scans())
    return folder, [body for body in sent if b'"matches"' in body]


@pytest.fixture
def evidence(scanned, capsys):
    """Run `batchscan evidence` about those scans; gives the exit code, and what was printed."""
    folder, _ = scanned

    def running(*words: str | Path) -> tuple[int, str, str]:
        page, *rest = map(str, words)
        code = main(["evidence", page, "--state", str(folder / "state"), *rest])
        said = capsys.readouterr()
        return code, said.out, said.err

    return running


def read(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_a_pack_holds_what_the_service_sent_byte_for_byte(scanned, evidence, tmp_path):
    folder, sent = scanned
    code, out, err = evidence(
        "pack", "--domain", "shop.example", "--image", folder / "images/b.png", "--to", tmp_path / "e.zip"
    )  # fmt: skip
    inside = read(tmp_path / "e.zip")
    answers = [data for name, data in inside.items() if name.startswith("answers/")]

    assert (code, err) == (0, "")
    assert "2 pictures, 4 answers of the service, 2 run reports" in out
    assert len(sent) == 6
    assert len(answers) == 4
    assert all(data in sent for data in answers)
    assert sorted(answers) == sorted(body for body in sent if b".example/" in body)
    runs = sorted((folder / "output" / "runs").iterdir())
    assert [inside[f"runs/{run.name}.json"] for run in runs] == [
        (run / "report.json").read_bytes() for run in runs
    ]


def test_a_pack_says_who_made_the_picture_and_where_it_is(scanned, evidence, tmp_path):
    folder, _ = scanned
    evidence("pack", "--domain", "shop.example", "--to", tmp_path / "e.zip")
    (record,) = (json.loads(data) for name, data in read(tmp_path / "e.zip").items() if "pictures/" in name)  # fmt: skip

    assert record["provenance"]["source"] == "read when it was sent"
    assert record["provenance"]["creator"] == "Ann"
    assert record["paths"] == [{"path": str(folder / "images/a.jpg"), "path_b64": None}]
    (match,) = record["matches"]
    assert match["url"].endswith("shop.example/a.jpg")
    assert (match["state"], match["disposition"]) == ("known", "open")
    assert [each["generation"] for each in record["answers"]] == [1, 2]


def test_the_number_that_a_pack_prints_is_what_a_check_takes(evidence, tmp_path):
    path = tmp_path / "it's.zip"
    _, out, _ = evidence("pack", "--domain", "shop.example", "--to", path)
    assert f"it's.zip: {len(read(path))} files, " in out
    number = next(line.split()[-1] for line in out.splitlines() if line.startswith("SHA-256"))

    code, out, _ = evidence("verify", path, "--manifest-sha256", number)
    assert code == 0
    assert f"{number}, as expected" in out
    assert f"is as it was packed: {len(read(path))} files of " in out
    code, out, _ = evidence("verify", path)
    assert code == 0
    assert "agree with each other" in out
    code, out, _ = evidence("verify", path, "--manifest-sha256", "0" * 64)
    assert code == 3
    assert out.startswith("altered: manifest.json: ")


def test_sentences_fit_on_a_terminal_of_80_columns(evidence, tmp_path):
    _, packed, _ = evidence("pack", "--domain", "shop.example", "--to", tmp_path / "e.zip")
    _, checked, _ = evidence("verify", tmp_path / "e.zip")

    sentences = [line for line in f"{packed}{checked}".splitlines() if line.startswith("  ")]
    assert "  the pack agree with each other." in sentences
    fitted = ("case.html is for", "--manifest-sha256 ")  # to the terminal, and one to be copied
    long = [line for line in sentences if len(line) > 80]
    assert not [line for line in long if not any(words in line for words in fitted)]


def test_what_was_altered_is_named_on_stdout(evidence, tmp_path):
    evidence("pack", "--domain", "shop.example", "--to", tmp_path / "e.zip")
    files = read(tmp_path / "e.zip")
    name = next(name for name in files if name.startswith("answers/"))
    files[name] = files[name].replace(b"shop", b"sh0p")
    files["more\x1b[31m.txt"] = b""
    del files["README.txt"]
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as opened:
        for each, data in files.items():
            opened.writestr(each, data)

    code, out, err = evidence("verify", tmp_path / "e.zip")

    assert (code, err) == (3, "")
    assert f"altered: {name}: " in out
    assert "missing: README.txt: it is not in the zip file\n" in out
    assert r"added: more\x1b[31m.txt: " in out
    assert out.endswith("e.zip is not as it was packed\n")


def test_of_very_many_faults_the_first_hundred_are_named(evidence, tmp_path):
    evidence("pack", "--domain", "shop.example", "--to", tmp_path / "e.zip")
    with zipfile.ZipFile(tmp_path / "e.zip", "a") as opened:
        for number in range(130):
            opened.writestr(f"answers/{number}.json", b"")

    code, out, _ = evidence("verify", tmp_path / "e.zip")

    assert code == 3
    assert out.count("added: ") == 100
    assert "and 30 more\n" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("pack", "--domain", "shp.example", "--to", "x.zip"), "the nearest that it knows: shop.example"),
        (("pack", "--image", "/none.png", "--to", "x.zip"), "no answer about '/none.png'"),
        (("pack", "--to", "x.zip"), "give --domain DOMAIN or --image PATH"),
        (("pack", "--domain", "shop.example"), "Missing option '--to'"),
        (("pack", "--domain", "shop.example", "--to", "/"), "already exists"),
        (("verify", "none.zip"), "'none.zip' cannot be read: No such file"),
        (("verify", "/"), "'/' is not a file"),
        (("verify", "x.zip", "--manifest-sha256", "abc"), "64 hexadecimal digits"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_command_is_reported(evidence, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    code, out, err = evidence(*words)

    assert (code, out) == (2, "")
    assert said in err
    assert not list(tmp_path.iterdir())


def test_the_ledger_is_only_read(scanned, evidence, tmp_path):
    state = scanned[0] / "state"
    before = {path.name: path.stat().st_mtime_ns for path in state.iterdir()}

    evidence("pack", "--domain", "shop.example", "--to", tmp_path / "e.zip")

    assert {path.name: path.stat().st_mtime_ns for path in state.iterdir()} == before
