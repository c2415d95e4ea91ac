"""What is published: the sdist, the wheel that is built from it, and what is in both."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from batchscan.cli.changes import changes_page
from batchscan.cli.dispatch import COMMANDS, SUMMARIES, find_command
from batchscan.cli.man_page import man_page

ROOT = Path(__file__).parent.parent


def test_the_manual_page_has_every_command_and_escapes_what_troff_would_take():
    page = man_page("1.0", SUMMARIES, find_command)

    assert page.startswith('.TH BATCHSCAN 1 "" "batchscan 1.0"')
    for name in COMMANDS:
        assert name == "scan" or f'.SS "batchscan {name}"' in page
    assert "\\-\\-max\\-credits" in page
    assert all(line[:3] in (".TH", ".SH", ".SS", ".TP", ".PP", ".B ", ".br")
               for line in page.splitlines() if line.startswith("."))  # fmt: skip


def test_no_url_is_invented_and_pathspec_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert "urls" not in project
    assert project["authors"]
    assert "pathspec>=1.0,<2" in project["dependencies"]
    assert not [each for each in project["dependencies"] if "scipy" in each or "imagehash" in each]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of an sdist and of the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_sdist_builds_a_wheel_that_passes_its_tests(built, tmp_path):
    [sdist], [wheel] = built.glob("*.tar.gz"), built.glob("*.whl")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "wheel")
    [source] = tmp_path.glob("batchscan-*")
    (source / "batchscan").rename(tmp_path / "unused")  # so that the wheel is what is tested
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "wheel")}
    for command in (
        ["-m", "batchscan", "--version"],
        ["-W", "error", "-c", "import batchscan; [getattr(batchscan, name) for name in batchscan.__all__]"],
        ["-m", "batchscan", "help", "files"],
        ["-m", "pytest", "-q", "-n", "0", "tests/test_tally.py", "tests/cli/test_dispatch.py",
         "tests/ledger/test_migrate.py"],
    ):  # fmt: skip
        done = subprocess.run(
            [sys.executable, *command],
            cwd=source, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    assert any(name.endswith("share/man/man1/batchscan.1") for name in names)
    assert "batchscan/docs/files.md" in names
    assert names.count("batchscan/CHANGELOG.md") == 1
    changes = (tmp_path / "wheel" / "batchscan" / "CHANGELOG.md").read_text()
    assert changes == changes_page(ROOT / "batchscan")  # what is not released yet, too
    assert not [name for name in names if name.startswith(("tests/", ".ci/"))]
