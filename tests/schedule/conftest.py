"""A user's machine: a home, a folder of pictures, an account, and nothing of the developer's."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from batchscan.cli import main
from tests.support.pictures import png, tree
from tests.support.schedule_reading import systemd_command


@dataclass
class Machine:
    """Where everything is, and how to ask for a schedule there."""

    home: Path
    captured: pytest.CaptureFixture[bytes]

    @property
    def images(self) -> Path:
        return self.home / "my images"

    def asked(self, *words: str) -> tuple[int, str, str]:
        """The exit code and what `batchscan schedule` says on stdout and stderr."""
        self.captured.readouterr()
        code = main(["schedule", *words])
        said = self.captured.readouterr()
        return code, os.fsdecode(said.out), os.fsdecode(said.err)

    def units(self, *words: str) -> dict[str, list[str]]:
        """The lines of both units, by name."""
        code, out, err = self.asked("--systemd", *words)
        assert code == 0, err
        found: dict[str, list[str]] = {}
        for name, value in re.findall(r"^(\w+)=(.*)$", out, re.MULTILINE):
            found.setdefault(name, []).append(value)
        return found

    def command(self, *words: str) -> list[str]:
        """The scan that the service would start, without the program."""
        return [word.decode() for word in systemd_command(self.units(*words)["ExecStart"][0])[1:]]

    def line(self, *words: str) -> str:
        """The line for cron."""
        code, out, err = self.asked("--cron", *words)
        assert code == 0, err
        assert out.count("\n") == 1
        return out.rstrip("\n")


@pytest.fixture
def machine(tmp_path, monkeypatch, capfdbinary):
    for name in ("COPYLEAKS_API_KEY", "COPYLEAKS_API_KEY_FILE", "STATE_DIRECTORY",
                 "HTTPS_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "BATCHSCAN_CONFIG"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, folder in (("CONFIG", ".config"), ("STATE", ".local/state")):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / folder))
    monkeypatch.setenv("COPYLEAKS_EMAIL", "me@example.com")
    monkeypatch.chdir(tmp_path)
    there = Machine(tmp_path, capfdbinary)
    tree(there.images, {f"p{n}.png": png(32, 32, n) for n in range(3)})
    return there


def report(folder: Path) -> dict[str, Any]:
    """The report of the last run that was written to a folder."""
    found: dict[str, Any] = json.loads((folder / "latest" / "report.json").read_bytes())
    return found
