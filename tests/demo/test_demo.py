from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys
from typing import Any

import pytest

from batchscan.demo import folders
from batchscan.demo.artwork import artwork
from batchscan.demo.changes import CHANGES
from batchscan.demo.raw import dng
from batchscan.demo.run import prepare
from batchscan.emulator.matching.hashes import frequency_hash
from batchscan.errors import UsageError
from batchscan.images.judge import Judge
from batchscan.images.rules import Accepted, Rules
from tests.support.processes import command, coverage_of_this_process


async def demo(folder, *words: str) -> tuple[int, str, str]:
    environment = {
        **coverage_of_this_process(),
        "PATH": os.environ["PATH"],
        "COPYLEAKS_API_URL": "http://127.0.0.1:9",
    }
    return await command(["demo", str(folder), *words], environment)


def report(folder) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "output" / "latest" / "report.json").read_bytes())
    return loaded


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_the_demo_does_the_whole_job_and_a_second_one_sends_nothing(tmp_path):
    folder = tmp_path / "demo"
    code, out, err = await demo(folder)
    assert code == 0, err
    assert "Where things are" in out
    assert "Captured as evidence: 21 matches" in out
    assert "21 matches: 16 there, 1 changed, 1 gone once, 3 unknown" in out
    captured = sorted(os.listdir(folder / "state" / "captures"))
    assert len(captured) == 21
    first = report(folder)
    assert first["files"]["failed"] == first["files"]["deferred"] == 0
    assert first["files"]["rejected"] == 4
    assert first["files"]["converted_formats"] == {"heic": 1, "jpeg": 1, "raw": 2, "tiff": 1}
    assert first["files"]["reused"] == 2
    assert first["matches"]["full"] == 6
    assert first["matches"]["partial"] == 15
    assert first["credits"]["charged"] == first["files"]["scanned"]

    code, _, err = await demo(folder)
    second = report(folder)
    assert code == 0, err
    assert second["files"]["unchanged"] == first["files"]["seen"]
    assert second["api"]["requests"] == second["api"]["logins"] == 0
    assert first["matches"]["new"] == first["matches"]["total"]
    assert second["matches"] == {**first["matches"], "new": 0}
    assert sorted(os.listdir(folder / "state" / "captures")) == captured


async def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    code, _, err = await demo(tmp_path)

    assert code == 2
    assert "not empty" in err
    assert os.listdir(tmp_path) == ["thesis.txt"]


def test_a_folder_that_cannot_be_made_is_a_clear_message(tmp_path):
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(UsageError, match="cannot be made"):
        prepare(tmp_path / "file" / "demo", None, None)


@pytest.mark.slow
def test_the_samples_are_the_same_on_every_machine():
    def good() -> dict[str, bytes]:
        return {name: data for name, data in folders.pictures() if "IMG" in name}

    assert good() == good()


def test_the_web_shows_each_kind_of_change_and_two_pictures_that_are_not_ours():
    shown = [each for site in folders.SITES.values() for each in site]
    assert {how for _, how in shown} == {"exact", *CHANGES}
    assert [number for number, _ in shown if number >= 100] == [100, 101]


def test_no_two_pictures_look_alike():
    hashes = [frequency_hash(artwork(seed).convert("L")) for seed in range(110)]

    assert min((one ^ other).bit_count() for one, other in itertools.combinations(hashes, 2)) >= 10


def test_the_hand_made_raw_is_unpacked_by_a_real_decoder():
    judge = Judge(Rules())
    verdict = judge.judge(dng(artwork(1, 64, 48)), "a.dng")
    judge.close()

    assert isinstance(verdict, Accepted)
    assert (verdict.format, verdict.width, verdict.height) == ("raw", 64, 48)
    assert verdict.warnings == ()


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_every_line_that_the_demo_proposes_can_be_pasted(tmp_path):
    folder = tmp_path / "my demo"
    _, out, _ = await demo(folder)
    proposed = out.partition("What to try next:")[2].splitlines()
    environ = {
        "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
    }
    codes = {}
    for line in filter(None, map(str.strip, proposed)):
        serves = line.startswith("batchscan emulator ")
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", f"exec {line}" if serves else line, cwd=tmp_path,
            env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said = ""
        if serves:  # until it is interrupted
            assert process.stdout is not None
            said = (await process.stdout.readuntil(b"http://127.0.0.1")).decode()
            process.send_signal(signal.SIGINT)
        said += (await process.communicate())[0].decode()
        if not line.startswith("#"):
            codes[line.split()[1]] = process.returncode, said
    assert [name for name, (code, _) in codes.items() if code == 0] == [
        "demo",
        "mark",
        "report",
        "takedown",
        "evidence",
        "-n",
        "emulator",
    ]
    assert codes["doctor"][0] == 2, codes["doctor"]  # there is no account
