"""Every command in the README, run as it stands there."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from pathlib import Path

import pytest
import yaml

from batchscan.demo import folders
from batchscan.emulator import EmulatorConfig
from batchscan.emulator.threaded import serve_in_thread
from batchscan.enums import DeferReason, FailReason, RejectReason
from batchscan.settings import Rate
from tests.support.pictures import png, tree

README = Path(__file__).parent.parent / "README.md"
TEXT = README.read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TEXT, re.DOTALL)
SHELL = [text for language, text in BLOCKS if language == "sh"]


@pytest.fixture
def home(tmp_path):
    """A user's home with pictures, a key, and an emulator in the vendor's place."""
    tree(tmp_path / "images", {f"p{n}.png": png(32, 32, n) for n in range(4)})
    tree(tmp_path, {".config/batchscan/key": b"key\n", "stamp": b""})
    os.utime(tmp_path / "stamp", (0, 0))
    (tmp_path / ".config/batchscan/key").chmod(0o600)
    with serve_in_thread(EmulatorConfig(search=False, rates=(Rate(100, 1.0),))) as emulator:
        yield {
            "HOME": str(tmp_path),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "COPYLEAKS_API_URL": emulator.url,
            "COPYLEAKS_IDENTITY_URL": emulator.url,
        }


async def shell(text: str, environment: dict[str, str]) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", text,
        env=environment, cwd=environment["HOME"], stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


def test_the_first_two_blocks_are_the_demo_and_the_tests():
    assert SHELL[0].strip() == "pip install '.[demo]' && batchscan demo"
    assert SHELL[1].strip() == "pip install '.[test]' && pytest"


async def test_the_commands_for_an_account_work_as_they_stand(home):
    code, out = await shell(SHELL[2], home)
    assert code == 0, out

    account = [line for line in SHELL[2].splitlines() if line.startswith("export")]
    code, out = await shell("\n".join([*account, SHELL[3]]), home)
    assert code == 0, out


async def test_the_crontab_line_works_as_it_is_printed(home, tmp_path):
    key = tmp_path / ".config/batchscan/key"
    account = {"COPYLEAKS_EMAIL": "me@example.com", "COPYLEAKS_API_KEY_FILE": str(key)}
    [command] = re.findall(r"^    (batchscan schedule --cron .+)$", TEXT, re.MULTILINE)
    for place, here in {
        "/srv/images": str(tmp_path / "images"), "--min-age 5m": "--min-age 1ms",
    }.items():  # fmt: skip
        assert place in command
        command = command.replace(place, here)
    code, line = await shell(command, {**home, **account})
    assert code == 0, line
    assert line.startswith("15 2 * * * ")
    bare = {"HOME": home["HOME"], "PATH": "/usr/bin:/bin"}

    assert await shell(line.split(" ", 5)[5], bare) == (0, "")
    assert (tmp_path / "batchscan-output" / "latest" / "report.json").exists()


async def test_the_units_are_written_as_it_stands(home, tmp_path):
    [command] = re.findall(r"^    (batchscan schedule --systemd .+)$", TEXT, re.MULTILINE)
    command = command.replace("/etc/systemd/system", str(tmp_path))
    code, said = await shell(command.replace("/srv/images", str(tmp_path / "images")), home)

    assert code == 0, said
    assert "WantedBy=timers.target" in (tmp_path / "batchscan.timer").read_text()
    assert "ExecStart=" in (tmp_path / "batchscan.service").read_text()


async def test_the_emulator_starts_as_it_stands_and_points_at_itself(home, tmp_path):
    folders.write(tmp_path / "batchscan-demo" / "web", folders.web())
    process = await asyncio.create_subprocess_exec(
        *SHELL[4].split(), env=home, cwd=tmp_path, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    lines = [await process.stdout.readline() for _ in range(4)]
    process.send_signal(signal.SIGTERM)
    await process.communicate()

    assert process.returncode == 0
    assert all(line.startswith(b"export COPYLEAKS_") for line in lines)


async def test_the_program_works_as_it_stands(home, tmp_path):
    [program] = [text for language, text in BLOCKS if language == "python"]
    program = program.replace("/etc/batchscan/key", str(tmp_path / ".config/batchscan/key"))
    # The one thing that a program says itself: where the API is.
    url = home["COPYLEAKS_API_URL"]
    program = program.replace(
        "account=batchscan",
        f'api=batchscan.Api(url="{url}", identity_url="{url}"), account=batchscan',
    )
    (tmp_path / "program.py").write_text(program)
    code, out = await shell("python program.py", home)

    assert code == 0, out
    assert out.count("scanned ") == 4
    assert "0 matches" in out


@pytest.mark.parametrize("word", re.findall(r"^batchscan (\w+)", "\n".join(SHELL), re.MULTILINE))
def test_every_command_it_names_exists(word):
    assert (Path(__file__).parent.parent / "batchscan" / "cli" / f"{word}.py").exists()


def test_every_exit_code_and_reason_stands_in_it():
    text = README.read_text()
    for reason in (*RejectReason, *FailReason, *DeferReason):
        assert f"`{reason}`" in text
    assert len(text.splitlines()) < 360


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_the_cluster_works_as_it_stands(home):
    [commands] = [text for text in SHELL if "dask scheduler" in text]
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    commands = commands.replace("pip install 'batchscan[dask]'", "true").replace("8786", str(port))
    commands = commands.replace("dask scheduler", f"dask scheduler --port {port}")
    account = "export COPYLEAKS_EMAIL=me@example.com COPYLEAKS_API_KEY_FILE=~/.config/batchscan/key"
    ending = "code=$?; kill $(jobs -p); wait; exit $code"
    code, out = await shell(f"{account}\nset +e\n{commands}\n{ending}", home)

    assert code == 0, out
    assert "All 4 pictures are checked." in out
    assert "Cluster: 1 worker on 1 host." in out


def test_the_values_for_kubernetes_are_what_helm_reads():
    [text] = [text for language, text in BLOCKS if language == "yaml"]
    values = yaml.safe_load(text)

    assert values["worker"]["image"] == values["scheduler"]["image"]
    assert values["worker"]["replicas"] == 4


def test_the_least_times_are_what_the_rates_make_of_them():
    units = {"s": 1, "min": 60, "h": 3600, "days": 86_400}
    rows = re.findall(r"^\| ([\d/ ]+,[\d,/ ]+) \| (\d.+) \|$", TEXT, re.MULTILINE)
    found = [
        (int(pictures.replace(",", "")), rate, time.split())
        for counts, cells in rows
        for rate, cell in zip((10, 100, 500), cells.split(" | "), strict=True)
        for pictures, time in zip(counts.split(" / "), cell.split(" / "), strict=True)
    ]

    assert len(found) == 15
    for pictures, rate, (number, unit) in found:
        assert float(number) == pytest.approx(pictures / rate / units[unit], rel=0.04)
