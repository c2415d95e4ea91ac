"""Walking folders in blocks, with memory that does not grow with the tree."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from batchscan.path_patterns import InvalidPattern
from batchscan.settings import Scan
from batchscan.walk.block import BLOCK, Block, Entry, WalkCounts, descend
from batchscan.walk.file_lists import grouped
from batchscan.walk.ignore_rules import IgnoreRules
from batchscan.walk.other_names import OTHER_EXTENSIONS
from batchscan.walk.roots import Identity, identities, identity, plan

_REMOVED = (FileNotFoundError, NotADirectoryError)


@dataclass(slots=True)
class _LocalFolder:
    """A folder to enter."""

    path: str  # absolute, links unresolved
    relative: str  # below its root, with a slash at the end; "" for the root itself
    root: str
    rules: IgnoreRules
    taken: frozenset[str] | set[str] = frozenset()  # names that are roots themselves
    device: int | None = None  # the root's file system; None before the root was entered
    mounted: bool = False  # on another file system than the root


class LocalWalk:
    """Finds the pictures below some roots, by their names.

    Roots may be links, and may be files with any name. A root inside another is walked separately,
    under its own rules. Links are not followed unless `rules.follow_symlinks` is set: then every
    folder is entered once, however it is reached, which ends loops and costs some 100 bytes of
    memory a folder; a link to a file is a file of its own, whose content is not sent twice.

    Files that are removed during the walk are ignored. A folder that cannot be read, or whose
    `.batchscanignore` cannot (it might exclude something), is not entered and counts as lost.
    """

    def __init__(
        self,
        roots: Iterable[str],
        rules: Scan,
        *,
        extensions: frozenset[str],
        never: Iterable[str] = (),
    ) -> None:
        """Configure a walk.

        `extensions` are those of pictures, in lower case; `never` are folders that are not
        entered (state and output).

        Raises:
            UsageError: a pattern is invalid.
        """
        self.counts = WalkCounts()
        self._roots = tuple(roots)
        self._rules = IgnoreRules.of(rules.include, rules.exclude)
        self._follow = rules.follow_symlinks
        self._extensions = frozenset(extension.lstrip(".") for extension in extensions)
        endings = [f".{extension}" for extension in sorted(self._extensions)]
        self._wanted = (*endings, *map(str.upper, endings))
        self._never = tuple(never)
        self._closed: set[Identity] = set()  # folders that are not entered (again)
        self._taken: dict[Identity, set[str]] = {}

    def blocks(self) -> Iterator[Block]:
        """Walk; may be called once. Blocking: for a thread, not for an event loop."""
        planned = plan(self._roots)
        never = identities(self._never)
        self._taken = planned.taken
        self._closed = never | planned.folders.keys()
        for path, error in planned.gone:
            self._lost(path, error)
        yield from grouped(planned.files)
        for place, path in planned.folders.items():
            self.counts.seen[path] = 0
            if place not in never:
                self._closed.discard(place)
                yield from self._tree(_LocalFolder(path, "", path, self._rules))
                self._closed.add(place)

    def _tree(self, top: _LocalFolder) -> Iterator[Block]:
        for block in descend(top, self._opened):
            self.counts.seen[top.root] += len(block)
            yield block

    def _opened(self, folder: _LocalFolder) -> Iterator[Block | _LocalFolder]:
        try:
            if not self._enter(folder):
                return
            folder.rules = folder.rules.within(folder.path, folder.relative)
            listing = os.scandir(folder.path)
        except _REMOVED as error:
            if not folder.relative:
                self._lost(folder.path, error)
            return
        except (OSError, InvalidPattern) as error:
            self._lost(folder.path, error)
            return
        # Read to its end a listing closes itself, so only folders of more than one block stay
        # open while those below them are walked.
        with listing:
            while part := self._read(folder, listing):
                block, below = self._sorted_out(folder, part)
                if block:
                    yield block
                yield from below
                if len(part) < BLOCK:
                    return

    def _enter(self, folder: _LocalFolder) -> bool:
        """Whether to enter a folder, by its identity at this moment."""
        top = not folder.relative
        status = os.stat(folder.path, follow_symlinks=self._follow or top)
        place = identity(status)
        if place in self._closed or not stat.S_ISDIR(status.st_mode):
            return False
        if self._follow:
            self._closed.add(place)
        folder.taken = self._taken.get(place, folder.taken)
        folder.device = status.st_dev if folder.device is None else folder.device
        folder.mounted = status.st_dev != folder.device
        return True

    def _read(
        self, folder: _LocalFolder, listing: Iterator[os.DirEntry[str]]
    ) -> list[os.DirEntry[str]]:
        part: list[os.DirEntry[str]] = []
        try:
            part.extend(islice(listing, BLOCK))
        except OSError as error:  # extend has kept the entries before the error
            self._lost(folder.path, error)
        return part

    def _sorted_out(
        self, folder: _LocalFolder, part: list[os.DirEntry[str]]
    ) -> tuple[Block, list[_LocalFolder]]:
        block = Block(folder.path, folder.root, folder.mounted)
        others: list[os.DirEntry[str]] = []
        follow = self._follow
        plain = folder.rules.plain and not folder.taken
        wanted, entries = self._wanted, block.entries  # what names end in that need no second look
        for entry in part:
            place = None
            try:
                if not entry.is_file(follow_symlinks=follow):
                    others.append(entry)
                    continue
                name = entry.name
                # Inlined for speed: nearly all files take this branch.
                quick = plain and name.endswith(wanted) and name[0] != "."
                place = entries if quick else self._place(folder, block, name)
                if place is not None:
                    status = entry.stat(follow_symlinks=follow)
                    place.append((name, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
            except FileNotFoundError:
                continue
            except OSError:
                if place is None:
                    others.append(entry)
                else:
                    block.without_stat.append(entry.name)
        block.sort()
        return block, self._folders(folder, others)

    def _place(self, folder: _LocalFolder, block: Block, name: str) -> list[Entry] | None:
        """The list that a file belongs in by its name; None if it is excluded."""
        stem, _, extension = name.rpartition(".")
        if not (stem and extension):
            place = block.unnamed
        elif extension.lower() in self._extensions:
            place = block.entries
        elif extension.lower() in OTHER_EXTENSIONS:
            self.counts.ignored += 1
            return None
        else:
            place = block.unnamed
        if name in folder.taken:
            return None
        if folder.rules.leave_out_file(folder.relative + name, name):
            self.counts.excluded += 1
            return None
        return place

    def _folders(self, folder: _LocalFolder, others: list[os.DirEntry[str]]) -> list[_LocalFolder]:
        """The folders to enter among entries that are not files, real ones before links."""
        below: list[tuple[bool, bytes, _LocalFolder]] = []
        for entry in others:
            try:
                if not entry.is_dir(follow_symlinks=self._follow):
                    self.counts.ignored += 1
                    continue
            except OSError as error:
                self._unknown(entry, error)
                continue
            relative = folder.relative + entry.name
            if folder.rules.leave_out_folder(relative, entry.name):
                self.counts.excluded += 1
                continue
            subfolder = _LocalFolder(
                entry.path, relative + "/", folder.root, folder.rules, device=folder.device
            )
            below.append((entry.is_symlink(), os.fsencode(entry.name), subfolder))
        below.sort(key=lambda candidate: candidate[:2])
        return [subfolder for _, _, subfolder in below]

    def _unknown(self, entry: os.DirEntry[str], error: OSError) -> None:
        if error.errno == errno.ELOOP:
            self.counts.ignored += 1  # a link that leads to itself
        else:
            self._lost(entry.path, error)

    def _lost(self, path: str, error: OSError | InvalidPattern) -> None:
        why = error.strerror if isinstance(error, OSError) else None
        self.counts.lost(path, why or str(error))
