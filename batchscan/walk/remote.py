"""Walking object stores folder by folder, like `local`, with constant memory.

A store lists the names directly below a prefix in pages; each folder found is then entered.
Excluded folders are not listed, and pages are requested only when they are needed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from batchscan.errors import UsageError
from batchscan.path_patterns import InvalidPattern
from batchscan.settings import Scan
from batchscan.stores import Item, Store, address_and_store
from batchscan.stores.registry import is_object
from batchscan.util.paths import join_path
from batchscan.walk.block import BLOCK, Block, Entry, WalkCounts, descend
from batchscan.walk.file_lists import grouped
from batchscan.walk.ignore_rules import IGNORE_FILE, MAX_IGNORE_FILE, IgnoreRules
from batchscan.walk.other_names import OTHER_EXTENSIONS


@dataclass(slots=True)
class _RemoteFolder:
    """A folder to enter."""

    path: str  # its URL, without a slash at the end
    key: str  # in its store; with a slash at the end, "" for the whole store
    relative: str  # below its root, with a slash at the end; "" for the root itself
    root: str
    rules: IgnoreRules
    store: Store

    def below(self, name: str) -> _RemoteFolder:
        """A folder in it."""
        key, relative = f"{self.key}{name}/", f"{self.relative}{name}/"
        return _RemoteFolder(
            join_path(self.path, name), key, relative, self.root, self.rules, self.store
        )


@dataclass(slots=True)
class _Part:
    """Entries of one page of a folder's listing, classified."""

    block: Block
    below: list[_RemoteFolder] = field(default_factory=list)


class RemoteWalk:
    """Finds the pictures below some roots in stores, by their names.

    Like `batchscan.walk.local.LocalWalk`: a root may be an object with any name; one inside another
    is walked separately. A folder that cannot be listed, or whose `.batchscanignore` cannot be
    read, counts as lost.
    """

    def __init__(self, roots: Iterable[str], rules: Scan, *, extensions: frozenset[str]) -> None:
        """Configure a walk; `extensions` are those of pictures, in lower case.

        Raises:
            UsageError: a pattern is invalid.
        """
        self.counts = WalkCounts()
        self._roots = tuple(roots)
        self._rules = IgnoreRules.of(rules.include, rules.exclude)
        self._extensions = frozenset(extension.lstrip(".") for extension in extensions)
        self._folders: dict[str, _RemoteFolder] = {}  # the roots, by path
        self._files: dict[str, None] = {}

    def blocks(self) -> Iterator[Block]:
        """Walk; may be called once. Blocking: for a thread, not for an event loop."""
        for root in self._roots:
            self._plan(root)
        yield from grouped(self._files)
        for path, folder in self._folders.items():
            self.counts.seen[path] = 0
            yield from self._tree(folder)

    def _plan(self, root: str) -> None:
        try:
            address, store = address_and_store(root)
            if is_object(store, address):
                self._files[str(address)] = None
                return
        except (OSError, UsageError) as error:  # changed since it was checked
            self._lost(root, error)
            return
        path = address.folder_path
        self._folders.setdefault(
            path, _RemoteFolder(path, address.folder, "", path, self._rules, store)
        )

    def _tree(self, top: _RemoteFolder) -> Iterator[Block]:
        for block in descend(top, self._opened):
            self.counts.seen[top.root] += len(block)
            yield block

    def _opened(self, folder: _RemoteFolder) -> Iterator[Block | _RemoteFolder]:
        listing = folder.store.list(folder.key)
        first = True
        while names := self._read(folder, listing):
            try:
                if first:
                    folder.rules = _rules_of(folder, names)
            except (OSError, InvalidPattern) as error:
                self._lost(folder.path, error)
                return
            first = False
            part = self._sorted_out(folder, names)
            if part.block:
                yield part.block
            yield from part.below
            if len(names) < BLOCK:
                return

    def _read(self, folder: _RemoteFolder, listing: Iterator[Item]) -> list[Item]:
        names: list[Item] = []
        try:
            names.extend(islice(listing, BLOCK))
        except FileNotFoundError as error:
            if not folder.relative:  # folders removed during the walk are ignored
                self._lost(folder.path, error)
        except OSError as error:  # extend has kept the entries before the error
            self._lost(folder.path, error)
        return names

    def _sorted_out(self, folder: _RemoteFolder, names: list[Item]) -> _Part:
        part = _Part(Block(folder.path, folder.root))
        for entry in names:
            if isinstance(entry, str):
                if (below := self._enter(folder, entry)) is not None:
                    part.below.append(below)
            elif (place := self._place(folder, part.block, entry)) is not None:
                place.append(entry)
        part.block.sort()
        part.below.sort(key=lambda below: os.fsencode(below.path))
        return part

    def _place(self, folder: _RemoteFolder, block: Block, entry: Entry) -> list[Entry] | None:
        """The list that an object belongs in by its name; None if it is excluded."""
        name, size = entry[:2]
        stem, _, extension = name.rpartition(".")
        if not name or name == IGNORE_FILE:
            self.counts.ignored += bool(
                name or size
            )  # an entry without name or content represents the folder
            return None
        if not (stem and extension):
            place = block.unnamed
        elif extension.lower() in self._extensions:
            place = block.entries
        elif extension.lower() in OTHER_EXTENSIONS:
            self.counts.ignored += 1
            return None
        else:
            place = block.unnamed
        if join_path(folder.path, name) in self._files:
            return None
        if folder.rules.leave_out_file(folder.relative + name, name):
            self.counts.excluded += 1
            return None
        return place

    def _enter(self, folder: _RemoteFolder, name: str) -> _RemoteFolder | None:
        """The folder with this name, unless it is excluded or a root itself."""
        below = folder.below(name)
        if below.path in self._folders:
            return None
        if folder.rules.leave_out_folder(folder.relative + name, name):
            self.counts.excluded += 1
            return None
        return below

    def _lost(self, path: str, error: OSError | InvalidPattern | UsageError) -> None:
        why = error.strerror if isinstance(error, OSError) else None
        self.counts.lost(path, why or str(error))


def _rules_of(folder: _RemoteFolder, names: list[Item]) -> IgnoreRules:
    """The rules of a folder, with its ignore file; `names` are the first ones listed.

    Raises:
        OSError: the ignore file exists and cannot be read.
        InvalidPattern: one of its lines is invalid, or it is too large.
    """
    key = folder.key + IGNORE_FILE
    if not any(entry[0] == IGNORE_FILE for entry in names if not isinstance(entry, str)):
        if len(names) < BLOCK:
            return folder.rules
        try:  # in a long listing its name may come much later
            folder.store.stat(key)
        except FileNotFoundError:
            return folder.rules
    data = folder.store.read(key, MAX_IGNORE_FILE + 1)
    return folder.rules.with_lines(folder.relative, data)
