"""Every command in the README and in the pages of `batchscan/docs`, run as it is written there."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import sys
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest
import yaml

from batchscan.cli import dispatch, topics
from batchscan.demo import folders
from batchscan.emulator import EmulatorConfig
from batchscan.emulator.threaded import serve_in_thread
from batchscan.enums import DeferReason, ExitReason, FailReason, RejectReason
from batchscan.settings import Rate
from tests.support.documentation import (
    DOCS,
    PAGES,
    README,
    ROOT,
    blocks,
    commands,
    languages,
    run_block,
    shell,
)
from tests.support.pictures import png, tree
from tests.support.terminal_picture import PICTURE, svg

SHELL = blocks(README, "sh")
RATES = (Rate(100, 1.0),)
MARK = "batchscan mark reviewed cheap-posters.example"
SETTINGS = b"""
alerts: {on_new: [cat]}
takedown: {name: Ada Example, email: ada@example.com, role: owner}
"""


def environment_of(folder: Path, url: str) -> dict[str, str]:
    """The environment of a user whose home is a folder, with an emulator in the vendor's place."""
    return {
        "HOME": str(folder),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "COPYLEAKS_API_URL": url,
        "COPYLEAKS_IDENTITY_URL": url,
    }


def furnish(folder: Path) -> None:
    tree(folder, {".config/batchscan/key": b"key\n", "stamp": b""})
    os.utime(folder / "stamp", (0, 0))
    (folder / ".config/batchscan/key").chmod(0o600)


@pytest.fixture
def home(tmp_path):
    """A user's home with pictures, a key, and an emulator in the vendor's place."""
    tree(tmp_path / "images", {f"p{n}.png": png(32, 32, n) for n in range(4)})
    furnish(tmp_path)
    with serve_in_thread(EmulatorConfig(search=False, rates=RATES)) as emulator:
        yield environment_of(tmp_path, emulator.url)


@pytest.fixture(scope="module")
def scanned(tmp_path_factory):
    """A home whose pictures were found on the web, its environment, and a copy of it."""
    folder = tmp_path_factory.mktemp("docs") / "home"
    web = folder / "batchscan-demo" / "web"
    folders.write(web, folders.web())
    tree(folder / "images", {f"p{n}.jpg": folders.photo(n) for n in (0, 3, 10)})
    tree(folder, {".config/batchscan/config.yaml": SETTINGS, "units/README": b""})
    furnish(folder)
    with serve_in_thread(EmulatorConfig(web=web, sites=True, rates=RATES)) as emulator:
        environment = environment_of(folder, emulator.url)
        environment["COPYLEAKS_EMAIL"] = "me@example.com"
        environment["COPYLEAKS_API_KEY_FILE"] = str(folder / ".config/batchscan/key")
        code, out = asyncio.run(shell(f"batchscan ./images --rate 50/s; {MARK}", environment))
        assert code == 0, out
        shutil.copytree(folder, folder.with_name("copy"), symlinks=True)
        yield environment


@pytest.fixture
def home_with_matches(scanned):
    """The home as it was after its scan."""
    folder = Path(scanned["HOME"])
    shutil.rmtree(folder)
    shutil.copytree(folder.with_name("copy"), folder, symlinks=True)
    return scanned


def test_the_first_two_blocks_are_the_demo_and_the_tests():
    assert SHELL[0].strip() == "pip install . && batchscan demo"
    assert SHELL[1].strip() == "pip install '.[test]' && pytest"


@pytest.mark.slow
async def test_the_commands_for_an_account_work_as_written(home):
    code, out = await shell(SHELL[2], home)
    assert code == 0, out

    account = [line for line in SHELL[2].splitlines() if line.startswith("export")]
    code, out = await shell("\n".join([*account, SHELL[3]]), home)
    assert code == 0, out


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
async def test_the_commands_of_every_page_work_as_they_are_written(home_with_matches, page):
    others = SHELL[:4] if page == README else []  # run by tests of their own, as the cluster is
    for block in blocks(page, "sh"):
        if block not in others and "dask scheduler" not in block:
            code, out = await run_block(block, home_with_matches)
            assert code == 0, f"{block}\n{out}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_and_option_in_a_page_exists(page):
    for words in commands(page):
        parse(words)


def parse(words: list[str]) -> None:
    """Parse a command line as batchscan does, without running it."""
    first, *rest = words
    if first == "help":
        known = {*dispatch.COMMANDS, *topics.topics(), "TOPIC", "COMMAND"}
        assert not rest or rest[0] in known, words
        return
    if first.isupper() or words == ["--version"]:  # a placeholder, or without a command
        return
    name, rest = (first, rest) if first in dispatch.COMMANDS else ("scan", words)
    command = dispatch.find_command(name)
    while True:
        try:
            context = command.make_context(name, list(rest))
        except click.exceptions.Exit:  # of --help
            return
        except click.MissingParameter:  # named in the text, without its arguments
            return
        if not isinstance(command, click.Group) or not context._protected_args:
            return
        _, found, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None
        command = found


def test_pages_use_known_languages_and_link_to_files_that_exist():
    for page in PAGES:
        assert languages(page) <= {"sh", "python", "yaml", "json", "text"}, page
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            assert "://" in link or (page.parent / link.split("#")[0]).exists(), (page, link)


def test_the_picture_is_small_and_the_one_that_the_script_makes():
    found = PICTURE.read_text()
    lines = ["31 of 35 pictures are checked.", "  <b> & 'quotes'"]

    assert len(found) < 10_000
    assert f"]({PICTURE.relative_to(ROOT)})" in README.read_text()
    for text in (found, svg(lines)):
        assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
    assert found.partition("<text")[0].count("<rect") == 1
    assert "pictures are checked" in found


def test_the_readme_is_short_and_links_to_every_page():
    text = README.read_text()

    assert len(text.splitlines()) <= 200
    for page in PAGES[1:]:
        assert f"]({page.relative_to(ROOT)})" in text, page
        assert page.read_text().startswith("# "), page


@pytest.mark.slow
async def test_the_crontab_line_works_as_it_is_printed(home, tmp_path):
    key = tmp_path / ".config/batchscan/key"
    account = {"COPYLEAKS_EMAIL": "me@example.com", "COPYLEAKS_API_KEY_FILE": str(key)}
    [command] = re.findall(r"^(batchscan schedule --cron .+)$", README.read_text(), re.MULTILINE)
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


async def test_the_units_are_written_as_shown(home, tmp_path):
    [command] = [text for text in blocks(DOCS / "schedule.md", "sh") if "--systemd" in text]
    command = command.removeprefix("sudo ").replace("/etc/systemd/system", str(tmp_path))
    code, said = await shell(command.replace("/srv/images", str(tmp_path / "images")), home)

    assert code == 0, said
    assert "WantedBy=timers.target" in (tmp_path / "batchscan.timer").read_text()
    assert "ExecStart=" in (tmp_path / "batchscan.service").read_text()


async def test_the_emulator_starts_as_written_and_points_at_itself(home, tmp_path):
    folders.write(tmp_path / "batchscan-demo" / "web", folders.web())
    process = await asyncio.create_subprocess_exec(
        *blocks(DOCS / "emulator.md", "sh")[0].split(),
        env=home,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    lines = [await process.stdout.readline() for _ in range(4)]
    process.send_signal(signal.SIGTERM)
    await process.communicate()

    assert process.returncode == 0
    assert all(line.startswith(b"export COPYLEAKS_") for line in lines)


async def test_the_program_works_as_written(home, tmp_path):
    [program] = blocks(DOCS / "python.md", "python")
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


def test_every_exit_code_and_reason_is_in_the_pages():
    results, codes = ((DOCS / name).read_text() for name in ("results.md", "exit-codes.md"))
    for reason in (*RejectReason, *FailReason, *DeferReason):
        assert f"`{reason}`" in results
    for reason in ExitReason:
        assert f"`{reason}`" in codes


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_the_cluster_works_as_written(home):
    [commands] = [text for text in blocks(DOCS / "cluster.md", "sh") if "dask scheduler" in text]
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
    [text] = blocks(DOCS / "cluster.md", "yaml")
    values = yaml.safe_load(text)

    assert values["worker"]["image"] == values["scheduler"]["image"]
    assert values["worker"]["replicas"] == 4


def test_the_shortest_times_follow_from_the_rates():
    text = (DOCS / "cluster.md").read_text()
    units = {"s": 1, "min": 60, "h": 3600, "days": 86_400}
    rows = re.findall(r"^\| ([\d/ ]+,[\d,/ ]+) \| (\d.+) \|$", text, re.MULTILINE)
    found = [
        (int(pictures.replace(",", "")), rate, time.split())
        for counts, cells in rows
        for rate, cell in zip((10, 100, 500), cells.split(" | "), strict=True)
        for pictures, time in zip(counts.split(" / "), cell.split(" / "), strict=True)
    ]

    assert len(found) == 15
    for pictures, rate, (number, unit) in found:
        assert float(number) == pytest.approx(pictures / rate / units[unit], rel=0.04)
