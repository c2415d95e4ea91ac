"""The state folder: making it private, and locking it for one run at a time."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from batchscan.errors import LockedError, StorageError
from batchscan.settings.model import IfLocked
from batchscan.util import system
from batchscan.util.private_files import advice_for, make_private, open_private

LOCK_FILE = "lock"
HOLDER_FILE = "lock.json"
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.ELOOP)


class LockHolder(msgspec.Struct):
    """The process that holds the lock, as `lock.json` names it to other processes."""

    pid: int
    host: str
    started_at: str


class StateLock:
    """A kernel lock on the state folder, which ends with its process.

    It is held on a visible file, and on the folder itself if the file system supports that, so
    that deleting the file admits no second run.
    """

    def __init__(self, state: Path, if_locked: IfLocked, task: str | None = None) -> None:
        """Choose the lock files; nothing is locked before `acquire`.

        Args:
            state: the state folder, which exists.
            if_locked: what to do when another run holds the lock: `fail`, `wait` or `skip`.
            task: a task that may run beside a scan (such as `recheck`), to be locked instead of the
                folder.
        """
        prefix = f"{task}." if task else ""
        self._state = state
        self._if_locked = if_locked
        self._task = task
        self._file = state / f"{prefix}{LOCK_FILE}"
        self._holder = state / f"{prefix}{HOLDER_FILE}"
        self._lock = FileLock(self._file)
        self._folder = -1  # descriptor of the locked folder
        self._held: tuple[int, int] | None = None  # device and inode of the locked file

    def acquire(self) -> bool:
        """Take the lock without waiting.

        Returns:
            True if it is held now; False if another run holds it and `--if-locked wait` asks the
            caller to try again.

        Raises:
            LockedError: another run holds it; without a message with `--if-locked skip`.
            StorageError: the lock file cannot be made.
        """
        try:
            # Created here: the library requires a mode, which not all file systems support.
            os.close(open_private(self._file, os.O_RDWR | os.O_CREAT | system.O_NOFOLLOW))
            self._lock.acquire(timeout=0)
            if self._task is None:
                self._lock_folder()
            self._held = _identity(self._file)
        except (Timeout, BlockingIOError) as error:
            self.release()
            if self._if_locked == "wait":
                return False
            raise LockedError(self._message(), advice=self._advice()) from error
        except OSError as error:
            self.release()
            raise unwritable(self._state, error) from error
        self._sign()
        return True

    def release(self) -> None:
        """Release the lock; no effect if it is not held. The lock file stays."""
        self._held = None
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1
        self._lock.release()

    def check(self) -> None:
        """Check that the lock file is still the one that is held, with one system call.

        Raises:
            StorageError: it was removed or replaced, or the state folder was.
        """
        try:
            current = _identity(self._file)
        except OSError as error:
            if error.errno not in _GONE:
                return  # a slow network file system: the lock was not taken by others
            current = None
        if current != self._held:
            raise StorageError(
                f"{self._file} was removed or replaced during this run: another run may have "
                "started",
                advice="do not remove the lock file: it is free as soon as its process ends. Run "
                "the same command again to continue",
            )

    def _lock_folder(self) -> None:
        """Lock the folder too.

        Raises:
            BlockingIOError: another run holds it.
        """
        fd = os.open(self._state, os.O_RDONLY | system.O_DIRECTORY | system.O_CLOEXEC)
        try:
            system.lock(fd, wait=False)
        except BlockingIOError:
            os.close(fd)
            raise
        except OSError:  # such as on NFS
            os.close(fd)
        else:
            self._folder = fd

    def _sign(self) -> None:
        started_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        holder = msgspec.json.encode(LockHolder(os.getpid(), system.host_name(), started_at))
        try:
            # No link is followed: in a folder of others, it may lead to a file of ours
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | system.O_NOFOLLOW
            with os.fdopen(open_private(self._holder, flags), "wb") as file:
                file.write(holder)
        except OSError as error:
            self.release()
            raise unwritable(self._state, error) from error

    def _message(self) -> str:
        if self._if_locked == "skip":
            return ""
        what = f"{self._task} is running in" if self._task else "run holds"
        try:
            holder = msgspec.json.decode(self._holder.read_bytes(), type=LockHolder)
        except (OSError, msgspec.DecodeError):
            return f"another {what} {self._state}"
        return (
            f"another {what} {self._state}: process {holder.pid} on {holder.host},"
            f" started {holder.started_at}"
        )

    def _advice(self) -> str | None:
        if self._if_locked == "skip":
            return None
        return "wait for it, or use --if-locked wait or skip, or another --state"


def _identity(path: Path) -> tuple[int, int]:
    file_stat = os.lstat(path)
    return file_stat.st_dev, file_stat.st_ino


def holder_of(state: Path) -> LockHolder | None:
    """The process that holds the lock now; None if no process does, or it cannot be seen from here.

    The lock itself is not taken. `lock.json` may be left over from a run that is over, so its
    process is looked up in /proc/locks (proc_locks(5)); outside Linux, any process with its
    number counts.
    """
    try:
        holder = msgspec.json.decode((state / HOLDER_FILE).read_bytes(), type=LockHolder)
        inode = os.stat(state / LOCK_FILE).st_ino
    except (OSError, msgspec.DecodeError):
        return None
    if holder.host != system.host_name():
        return None
    try:
        locks = Path("/proc/locks").read_text()
    except OSError:  # not Linux
        return holder if _is_alive(holder.pid) else None
    # Such as `1: FLOCK  ADVISORY  WRITE 4711 fd:01:131090 0 EOF`
    lines = [line.split() for line in locks.splitlines()]
    held = any(str(holder.pid) in line and line[-3].endswith(f":{inode}") for line in lines)
    return holder if held else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:  # another user's
        return True
    except OSError:
        return False
    return True


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner can read, with its parents, independent of the umask.

    Raises:
        StorageError: it cannot be made.
    """
    try:
        if not folder.is_dir():
            if folder.parent != folder:
                make_private_folder(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)
            make_private(folder, 0o700)
    except OSError as error:
        raise unwritable(folder, error) from error


def unwritable(folder: Path, error: OSError) -> StorageError:
    """The error for a folder of state or output that cannot be written, with what to do."""
    taken = isinstance(error, FileExistsError)  # by a file, or by a link to nothing
    why = "it is not a folder" if taken else error.strerror or error
    return StorageError(
        f"{folder} cannot be written: {why}",
        advice=advice_for(error, "or name another folder with --state or --output"),
    )
