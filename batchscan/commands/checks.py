"""The local checks of `batchscan doctor`, and their findings."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from batchscan.console.exit import exit_code_of
from batchscan.errors import BatchscanError, StorageError, UsageError
from batchscan.settings import Settings
from batchscan.settings.credentials import require_credentials
from batchscan.settings.locations import state_folder
from batchscan.state.access import read_ledger

# The exit code for several problems: that of the first in this order.
_WORST_FIRST = (9, 2, 4, 6, 8)


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's result."""

    level: Level
    what: str  # was checked
    detail: str
    advice: str | None = None
    code: int = 0  # of a problem: the exit code that a scan would end with

    @classmethod
    def of(cls, what: str, error: BatchscanError) -> Finding:
        """The problem that an error means."""
        return cls(Level.PROBLEM, what, str(error), error.advice, exit_code_of(error))


def exit_code(findings: Iterable[Finding]) -> int:
    """0 without problems, else the worst one's code."""
    codes = {finding.code for finding in findings if finding.level is Level.PROBLEM}
    return next((code for code in _WORST_FIRST if code in codes), max(codes, default=0))


def check_account(settings: Settings) -> Finding:
    """Whether credentials are there; nothing is sent."""
    try:
        require_credentials(settings)
    except UsageError as error:
        return Finding.of("credentials", error)
    return Finding(Level.OK, "credentials", f"{settings.account.email}, and a key")


def check_state(settings: Settings) -> Iterator[Finding]:
    """The state folder, its file system, and the ledger in it."""
    try:
        folder = state_folder(settings)
    except UsageError as error:
        yield Finding.of("state folder", error)
        return
    yield _check_folder("state folder", str(folder))
    yield _check_file_system(folder)
    try:
        with read_ledger(settings, may_be_absent=True) as ledger:
            there = ledger.path.exists()
            yield Finding(
                Level.OK, "ledger", "can be read" if there else "none yet: no scan so far"
            )
    except StorageError as error:
        yield Finding.of("ledger", error)


def check_output(settings: Settings) -> Finding:
    """Whether runs can be written."""
    return _check_folder("output folder", settings.output.directory)


def check_alerts(settings: Settings) -> Iterator[Finding]:
    """Whether the targets of alerts can be reached; nothing is sent."""
    from batchscan.alerts import open_targets  # noqa: PLC0415 - slow to import

    try:
        names = [target.name for target in open_targets(settings.alerts, os.environ)]
    except UsageError as error:
        yield Finding.of("alerts", error)
        return
    if names:
        detail = f"{', '.join(names)}; `batchscan alerts test` sends a test"
        yield Finding(Level.OK, "alerts", detail)


def _check_folder(what: str, path: str) -> Finding:
    existing = path
    while not os.path.lexists(existing) and existing != os.path.dirname(existing):
        existing = os.path.dirname(existing)
    if not os.path.isdir(existing) or not os.access(existing, os.W_OK | os.X_OK):
        problem = StorageError(
            f"{path}: cannot be written", advice="correct its permissions, or name another folder"
        )
        return Finding.of(what, problem)
    if existing != path:
        return Finding(Level.OK, what, f"{path} (will be created)")
    if stat.S_IMODE(os.stat(path).st_mode) & 0o077:
        advice = f"chmod 700 {path}"
        return Finding(Level.WARNING, what, f"{path}: other users may be able to read it", advice)
    return Finding(Level.OK, what, path)


def _check_file_system(folder: Path) -> Finding:
    kind = file_system(str(folder))
    if is_network(kind):
        return Finding(
            Level.WARNING,
            "file system",
            f"{kind}: a network share, on which SQLite's locks may fail",
            "keep the state on a local disk: --state DIR",
        )
    return Finding(Level.OK, "file system", kind or "unknown")


_MOUNTS = "/proc/self/mounts"  # Linux; elsewhere it is not known
_NETWORK = frozenset(
    {"9p", "afpfs", "afs", "beegfs", "ceph", "cifs", "davfs", "drvfs", "glusterfs", "lustre"}
    | {"ncpfs", "nfs", "nfs3", "nfs4", "smb", "smb2", "smb3", "smbfs", "webdav"}
    | {"fuse.davfs2", "fuse.gcsfuse", "fuse.glusterfs", "fuse.gvfsd-fuse", "fuse.rclone"}
    | {"fuse.s3fs", "fuse.smbnetfs", "fuse.sshfs"}
)
_OCTAL = re.compile(r"\\([0-7]{3})")  # how the kernel writes a space in a mount point


def file_system(path: str, mounts: str = _MOUNTS) -> str | None:
    """The type of the file system that holds a path, there or not: `ext4`, `nfs4`.

    Args:
        path: the path.
        mounts: the file in which the kernel lists what is mounted.

    Returns:
        None if it cannot be found out.
    """
    try:
        with open(mounts, encoding="utf-8", errors="surrogateescape") as file:
            lines = [line.split(" ") for line in file]
    except OSError:
        return None
    real = os.path.join(os.path.realpath(path), "")
    fs_type = None
    longest = 0
    for _, point, kind, *_ in (fields for fields in lines if len(fields) > 2):  # noqa: PLR2004
        mount = os.path.join(_OCTAL.sub(_character, point), "")
        if real.startswith(mount) and len(mount) >= longest:  # later mounts hide earlier ones
            fs_type, longest = kind, len(mount)
    return fs_type


def is_network(kind: str | None) -> bool:
    """Whether a type of file system is that of another machine's disk."""
    return kind in _NETWORK


def _character(octal: re.Match[str]) -> str:
    return chr(int(octal[1], 8))
