"""The commands that are measured, and how to come by them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path


class Missing(Exception):
    """A peer that is not on this machine and cannot be installed."""


def batchscan(work: Path, url: str, *words: str) -> tuple[list[str], dict[str, str]]:
    """Words and environment of a scan whose state and output are in the work folder."""
    folders = ["-o", str(work / "output"), "--state", str(work / "state")]
    environment = {
        # Compiled once, by the round that does not count: an installed package is compiled, too.
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(work / "bytecode"),
        "COPYLEAKS_EMAIL": "me@example.com",
        "COPYLEAKS_API_KEY": "key-of-the-benchmark",
        "COPYLEAKS_API_URL": url,
        "COPYLEAKS_IDENTITY_URL": url,
    }
    return [sys.executable, "-P", "-m", "batchscan", "scan", *folders, *words], environment


def needed(command: str, package: str | None = None) -> None:
    """Install a Debian package unless its command is there.

    Raises:
        Missing: it cannot be installed.
    """
    if shutil.which(command) or shutil.which(command, path="/usr/sbin"):
        return
    if os.geteuid() or not shutil.which("apt-get"):
        raise Missing(f"install {package or command} to compare with it")
    subprocess.run(["apt-get", "update", "-q"], check=True, stdout=subprocess.DEVNULL)
    words = ["apt-get", "install", "-y", "-q", "--no-install-recommends", package or command]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def python_package(name: str, work: Path) -> dict[str, str]:
    """Install a Python package for a peer alone; the environment that it is found in."""
    target = work / "packages"
    words = [sys.executable, "-m", "pip", "install", "-q", "--target", str(target), name]
    if subprocess.run(words, check=False).returncode:
        raise Missing(f"{name} cannot be installed to compare with it")
    return {"PYTHONPATH": str(target)}
