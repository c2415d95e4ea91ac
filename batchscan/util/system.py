"""System calls that only Linux and macOS have: open flags, locks, limits, users.

They are wrapped here, so that batchscan can be imported, and reading commands such as `report` and
`export` can run, on systems without them. A missing flag is 0.
"""

from __future__ import annotations

import errno
import importlib
import os
import platform
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVarTuple

from batchscan.errors import UsageError

if TYPE_CHECKING:
    import asyncio

_Arguments = TypeVarTuple("_Arguments")


def _optional(module: str) -> Any:  # noqa: ANN401 - a module, or None
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


_fcntl: Final = _optional("fcntl")
_pwd: Final = _optional("pwd")
_resource: Final = _optional("resource")

# On Windows, files are not inherited and hold bytes only where that is asked for.
_ON_WINDOWS: Final = getattr(os, "O_NOINHERIT", 0) | getattr(os, "O_BINARY", 0)
O_CLOEXEC: Final[int] = getattr(os, "O_CLOEXEC", _ON_WINDOWS)
O_DIRECTORY: Final[int] = getattr(os, "O_DIRECTORY", 0)
O_NOFOLLOW: Final[int] = getattr(os, "O_NOFOLLOW", 0)
O_NONBLOCK: Final[int] = getattr(os, "O_NONBLOCK", 0)
OPENS_FOLDERS: Final = hasattr(os, "O_DIRECTORY")
_M_ARENA_MAX: Final = -8  # of mallopt(3)
_HEAPS: Final = 2
# What asks a program to end; Windows has no SIGHUP.
STOP_SIGNALS: Final[tuple[signal.Signals, ...]] = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
PAGE_BYTES: Final[int] = _resource.getpagesize() if _resource else 4096


def require_posix(what: str) -> None:
    """Check that the system has POSIX locks and signals, which `what` needs.

    Raises:
        UsageError: it has not.
    """
    if _fcntl is None:
        raise UsageError(
            f"{what} needs Linux or macOS",
            advice="on Windows, use WSL: see `batchscan help platforms`",
        )


def lock(descriptor: int, *, wait: bool) -> None:
    """Lock an open file or folder with a kernel lock, which ends when that is closed.

    Raises:
        BlockingIOError: another process holds it, and `wait` is False.
        OSError: the file system, or this system, has no such locks.
    """
    if _fcntl is None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
    _fcntl.flock(descriptor, _fcntl.LOCK_EX | (0 if wait else _fcntl.LOCK_NB))


def on_signal(
    loop: asyncio.AbstractEventLoop,
    signum: int,
    callback: Callable[[*_Arguments], object],
    *arguments: *_Arguments,
) -> None:
    """Call something in a loop when a signal comes; the loops of Windows have no way of their own."""
    try:
        loop.add_signal_handler(signum, callback, *arguments)
    except NotImplementedError:
        signal.signal(signum, lambda *_: loop.call_soon_threadsafe(callback, *arguments))


def end_group(pid: int) -> None:
    """Kill a process that is a session leader, with all processes of its group.

    Raises:
        ProcessLookupError: there is none.
    """
    if hasattr(os, "killpg"):
        os.killpg(pid, signal.SIGKILL)
    else:
        os.kill(pid, signal.SIGTERM)


def host_name() -> str:
    """The name of this machine."""
    return os.uname().nodename if hasattr(os, "uname") else platform.node()


def is_superuser() -> bool:
    """Whether this process runs as root."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def user_name() -> str:
    """The name of the effective user, else the number."""
    if _pwd is None:
        return os.environ.get("USERNAME", "")
    try:
        return str(_pwd.getpwuid(os.geteuid()).pw_name)
    except KeyError:
        return str(os.geteuid())


def limit_heaps() -> None:
    """Limit glibc's malloc arenas: by default each thread has one, with 64 MiB of addresses each.

    With a limited address space, libraries abort the process if the next thread gets no arena.
    Memory freed in one arena is not available to another, so fewer also lower the peak.
    """
    import ctypes  # noqa: PLC0415 - only a scan needs it

    with suppress(OSError, AttributeError):  # glibc has it
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _HEAPS)


def address_limit() -> int | None:
    """The limit of this process's addresses in bytes; None without one, or not known."""
    if _resource is None or not hasattr(_resource, "RLIMIT_AS"):
        return None
    limit = int(_resource.getrlimit(_resource.RLIMIT_AS)[0])
    return None if limit == _resource.RLIM_INFINITY else limit


def raise_open_files(number: int) -> int | None:
    """Raise the limit of open files; the usual 1,024 are too few for a thousand uploads.

    Returns:
        The limit that holds then; None without one, or it is not known.
    """
    if _resource is None:
        return None
    soft, hard = _resource.getrlimit(_resource.RLIMIT_NOFILE)
    if _resource.RLIM_INFINITY != soft < number:
        most = number if hard == _resource.RLIM_INFINITY else min(number, hard)
        with suppress(OSError, ValueError):  # macOS allows fewer than it says
            _resource.setrlimit(_resource.RLIMIT_NOFILE, (most, hard))
            return int(most)
    return None if soft == _resource.RLIM_INFINITY else int(soft)


def limit_memory(address_space: int) -> None:
    """Limit this process's address space, in bytes, and disable core files."""
    if _resource is None:
        return
    _, hard = _resource.getrlimit(_resource.RLIMIT_AS)
    if hard != _resource.RLIM_INFINITY:
        address_space = min(address_space, hard)
    with suppress(ValueError, OSError):  # macOS knows this limit and refuses it
        _resource.setrlimit(_resource.RLIMIT_AS, (address_space, hard))
    _resource.setrlimit(_resource.RLIMIT_CORE, (0, 0))
