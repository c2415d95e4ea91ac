"""The roots of a walk: made absolute, checked, and without duplicates."""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias

from batchscan.errors import UsageError
from batchscan.stores import Address, check, shown
from batchscan.util.escaping import printable
from batchscan.util.paths import is_url

_LOOKED_AT = 10_000  # names of a folder that are compared with a mistyped one

Identity: TypeAlias = tuple[int, int]  # device and inode


@dataclass(slots=True)
class RootPlan:
    """The roots, as files to take and folders to walk."""

    files: list[str] = field(default_factory=list)
    folders: dict[Identity, str] = field(default_factory=dict)
    # Files that are roots themselves, by folder, so that walking the folder skips them.
    taken: dict[Identity, set[str]] = field(default_factory=dict)
    gone: list[tuple[str, OSError]] = field(default_factory=list)  # removed since the check


def identity(status: os.stat_result) -> Identity:
    """Device and inode, which identify a file or folder on this machine."""
    return status.st_dev, status.st_ino


def absolute(path: str) -> str:
    """Make a path absolute without resolving links.

    `a/../b` is shortened only if that is the same place: `a` may be a link. The URL of an object is
    kept, with the usual name of the store and without secrets.
    """
    if is_url(path):
        return _address(path)
    plain = "/" + os.path.abspath(path).lstrip("/")
    if ".." in path.split("/") and not _same(plain, path):
        return os.path.realpath(path)
    return plain


def check_roots(roots: Iterable[str], never: Sequence[str] = ()) -> None:
    """Check that all roots can be walked.

    `never` are folders that no walk enters (state and output).

    Raises:
        UsageError: a root does not exist, cannot be read, is neither a file nor a folder, or is a
            folder inside one of `never`; or its store refuses access.
    """
    for root in roots:
        if is_url(root):
            check(root)
            continue
        try:
            mode = os.stat(root).st_mode
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            why = error.strerror if isinstance(error, OSError) else error
            raise UsageError(
                f"cannot scan '{printable(root)}': {why}", advice=_near(root)
            ) from error
        if stat.S_ISDIR(mode):
            _check_folder(root, never)
        elif not stat.S_ISREG(mode):
            raise UsageError(f"cannot scan '{printable(root)}': neither a file nor a folder")
        elif not os.access(root, os.R_OK):
            raise UsageError(f"cannot scan '{printable(root)}': you may not read it")


def _near(root: str) -> str | None:
    """The existing name that is most similar to a missing one."""
    if root.startswith("~"):
        return "in quotes, the shell does not replace ~: name the folder without them"
    folder, name = os.path.split(root.rstrip(os.sep))
    try:
        with os.scandir(folder or ".") as entries:
            names = [entry.name for entry in islice(entries, _LOOKED_AT)]
    except (OSError, ValueError):
        return None
    close = difflib.get_close_matches(name, names, 1)
    return f"did you mean '{printable(os.path.join(folder, close[0]))}'?" if close else None


def plan(roots: Iterable[str]) -> RootPlan:
    """Separate files from folders, and drop duplicates."""
    sorted_out = RootPlan()
    for root in map(absolute, roots):
        try:
            status = os.stat(root)
            if stat.S_ISDIR(status.st_mode):
                sorted_out.folders.setdefault(identity(status), root)
                continue
            folder, name = os.path.split(root)
            names = sorted_out.taken.setdefault(identity(os.stat(folder)), set())
        except OSError as error:
            sorted_out.gone.append((root, error))
            continue
        if name not in names:
            names.add(name)
            sorted_out.files.append(root)
    return sorted_out


def identities(paths: Iterable[str]) -> set[Identity]:
    """The identities of those paths that exist."""
    result = set()
    for path in paths:
        try:
            result.add(identity(os.stat(path)))
        except OSError:
            continue
    return result


def _check_folder(root: str, never: Sequence[str]) -> None:
    if not os.access(root, os.R_OK | os.X_OK):
        raise UsageError(f"cannot scan '{printable(root)}': you may not read this folder")
    real = os.path.realpath(root)
    for folder in never:
        if os.path.commonpath([real, os.path.realpath(folder)]) == os.path.realpath(folder):
            raise UsageError(
                f"cannot scan '{printable(root)}': it is inside '{printable(folder)}', where "
                "this program keeps its own files",
                advice="choose another folder with --output or --state",
            )


def _address(url: str) -> str:
    try:
        return str(Address.of(url))
    except UsageError:
        return shown(url)


def _same(first: str, second: str) -> bool:
    try:
        return os.path.samefile(first, second)
    except OSError:
        return False
    except ValueError:
        return True  # a NUL in the name: it cannot exist
