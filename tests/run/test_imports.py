"""What a run imports: numpy takes as long as sixty pictures, and only comparing needs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support import pictures


@pytest.mark.parametrize(("check", "compares"), [("fast", False), ("full", True)])
def test_only_a_run_that_compares_pictures_imports_numpy(tmp_path, check, compares):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(pictures.jpeg(300, 200))
    code = "import sys\nfrom batchscan.cli import main\nmain(sys.argv[1:])\nprint(*sys.modules)"
    folders = ["-o", str(tmp_path / "out"), "--state", str(tmp_path / "state")]
    words = ["-n", "-q", "--check", check, *folders, str(tmp_path / "in")]
    run = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, check=True)

    loaded = run.stdout.decode().split()
    assert "batchscan.pipeline.session" in loaded
    assert ("numpy" in loaded) == compares
