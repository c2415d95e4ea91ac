"""Runs a command behind the fence that a unit puts around it, as far as a test can build one.

    python fence.py UNIT WRITABLE... -- COMMAND...

Builds, in namespaces of its own, what these lines of the unit ask for: ProtectSystem, PrivateTmp,
ProtectProc, ProcSubset, CapabilityBoundingSet, NoNewPrivileges, MemoryDenyWriteExecute,
RestrictAddressFamilies, SystemCallFilter, RestrictNamespaces. Needs root, and libseccomp.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import socket
import subprocess
import sys

_LIBC = ctypes.CDLL(None, use_errno=True)
_SECCOMP = ctypes.CDLL("libseccomp.so.2", use_errno=True)
_NEW_MOUNTS, _PRIVATE, _BIND, _REMOUNT, _READ_ONLY, _REC = 0x20000, 1 << 18, 4096, 32, 1, 16384
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_BOUNDING_DROP, _NO_NEW_PRIVILEGES, _MDWE = 24, 38, 65
_NOT_EQUAL, _EQUAL = 1, 4
_LAST_CAPABILITY = 40
_CAPABILITIES = {"CAP_DAC_OVERRIDE": 1}


class _Compare(ctypes.Structure):
    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    )


def main() -> None:
    unit, words = sys.argv[1], sys.argv[2:]
    writable, command = words[: words.index("--")], words[words.index("--") + 1 :]
    settings = _settings(unit)
    _mounts(writable)
    _capabilities(settings["CapabilityBoundingSet"][0].split())
    _check(_LIBC.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    filter_ = _system_calls(settings)
    if settings.get("MemoryDenyWriteExecute") == ["yes"]:
        _check(_LIBC.prctl(_MDWE, 1, 0, 0, 0))
    _check(_SECCOMP.seccomp_load(filter_))
    os.chdir("/")
    os.execv(command[0], command)


def _settings(unit: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    with open(unit) as file:
        for name, value in re.findall(r"^(\w+)=(.*)$", file.read(), re.MULTILINE):
            found.setdefault(name, []).append(value)
    return found


def _mounts(writable: list[str]) -> None:
    """Everything read-only but for some folders, and a /proc that shows processes only."""
    _check(_LIBC.unshare(_NEW_MOUNTS))
    _mount(b"none", b"/", None, _REC | _PRIVATE)
    for folder in writable:
        _mount(folder.encode(), folder.encode(), None, _BIND)
    _mount(b"/", b"/", None, _BIND | _REC)
    _mount(b"none", b"/", None, _BIND | _REMOUNT | _READ_ONLY)
    _mount(b"proc", b"/proc", b"proc", 0, b"hidepid=invisible,subset=pid")


def _mount(source: bytes, target: bytes, kind: bytes | None, flags: int, data: bytes = b"") -> None:
    _check(_LIBC.mount(source, target, kind, ctypes.c_ulong(flags), data or None))


def _capabilities(kept: list[str]) -> None:
    for number in range(_LAST_CAPABILITY + 1):
        if number not in {_CAPABILITIES[name] for name in kept}:
            _LIBC.prctl(_BOUNDING_DROP, number, 0, 0, 0)


def _system_calls(settings: dict[str, list[str]]) -> ctypes.c_void_p:
    _SECCOMP.seccomp_init.restype = ctypes.c_void_p
    found = ctypes.c_void_p(_SECCOMP.seccomp_init(ctypes.c_uint32(_ERRNO | errno.EPERM)))
    allowed: set[str] = set()
    for value in settings["SystemCallFilter"]:
        names = {name for each in value.lstrip("~").split() for name in _expanded(each)}
        allowed = allowed - names if value.startswith("~") else allowed | names
    families = settings["RestrictAddressFamilies"][0].split()
    for name in allowed:
        number = _SECCOMP.seccomp_syscall_resolve_name(name.encode())
        if number < 0:  # not of this processor
            continue
        if name == "socket":
            for family in families:
                compare = _Compare(0, _EQUAL, getattr(socket, family), 0)
                _rule(found, number, compare)
        elif name != "unshare":
            _rule(found, number)
    return found


def _rule(found, number: int, *compare: _Compare) -> None:
    array = (_Compare * len(compare))(*compare)
    _check(_SECCOMP.seccomp_rule_add_array(found, _ALLOW, number, len(compare), array))


def _expanded(name: str) -> set[str]:
    if not name.startswith("@"):
        return {name}
    said = subprocess.run(
        ["systemd-analyze", "syscall-filter", name], check=True, capture_output=True, text=True
    ).stdout
    lines = [line.strip() for line in said.splitlines()[1:]]
    return {call for each in lines if each and each[0] != "#" for call in _expanded(each)}


def _check(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno() or -result, os.strerror(ctypes.get_errno() or -result))


main()
