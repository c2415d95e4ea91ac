"""Names of folders and files that systems and programs keep: trash, snapshots, thumbnails.

Pictures there were deleted, are duplicates, or were made from a picture that is scanned itself.
Only certain names are listed. An Apple Photos library is not: if originals are in iCloud, its
derivatives are the only copy. Neither are Picasa's folder of originals and a plain "Thumbnails".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

# In lower case: these systems ignore case, or write names in more than one way.
_FOLDERS: Final = frozenset({
    ".git",
    # Synology
    "@eadir", "#recycle", "#snapshot", "@tmp", "@sharebin", "@sharesnap",
    # QNAP
    "@recycle", "@recently-snapshot", ".@upload_cache",
    # ZFS (TrueNAS), NetApp, Isilon, btrfs with snapper, CephFS and UFS, GlusterFS
    ".zfs", "~snapshot", ".snapshot", ".snapshots", ".snap", ".glusterfs", ".trashcan",
    # Samba (TrueNAS, OpenMediaVault), Unraid, Western Digital, Buffalo, Netatalk
    ".recycle", ".recycle.bin", ".wdmc", "trashbox", ".appledouble", "network trash folder",
    # Nextcloud and ownCloud, Syncthing, Dropbox
    "files_trashbin", "files_versions", ".stversions", ".dropbox.cache",
    # macOS
    ".trash", ".trashes", ".documentrevisions-v100", ".fseventsd", ".spotlight-v100",
    ".temporaryitems", ".mobilebackups",
    # Windows
    "$recycle.bin", "system volume information",
    # GNOME, KDE, Android and its makers' galleries
    ".thumbnails", ".sh_thumbnails", ".globaltrash", ".trashbin", ".recyclebin",
    # digiKam
    ".dtrash",
})  # fmt: skip
_PATTERNS: Final = re.compile(
    r"\._.*|\.@__.*"  # AppleDouble; QNAP: .@__thumb
    r"|\.trash-[0-9]+"  # the freedesktop.org bin of a user on a disk
    r"|appdata_(?:oc)?[a-z0-9]{10,12}"  # Nextcloud: previews
    r"|.*\.lrdata"  # Lightroom: previews
)
# Names that count only below another one: the last two parts of a path.
_BELOW: Final = re.compile(
    r"(?:^|.*/)(?:"
    r"\.local/share/trash|\.cache/(?:thumbnails|darktable|shotwell)"
    r"|captureone/cache|[^/]+\.cocatalog/cache"
    r"|\.sync/archive"  # Resilio
    r")"
)
_BELOW_NAMES: Final = frozenset(
    {"trash", "thumbnails", "darktable", "shotwell", "cache", "archive"}
)

_FILES: Final = frozenset({".DS_Store", "Thumbs.db"})
_FILE_STARTS: Final = ("._", ".trashed-")  # AppleDouble; Android's bin
_WILD: Final = "*?["


def is_system_folder(relative: str, name: str) -> bool:
    """Whether a folder belongs to a system or program; `relative` ends in its `name`."""
    name = name.lower()
    if name in _FOLDERS or _PATTERNS.fullmatch(name):
        return True
    return name in _BELOW_NAMES and _BELOW.fullmatch(relative.lower()) is not None


def is_system_file(name: str) -> bool:
    """Whether a file belongs to a system or program."""
    return name in _FILES or name.startswith(_FILE_STARTS)


@dataclass(frozen=True, slots=True)
class NamedBy:
    """Names in patterns of the user: `.thumbnails/*.jpg` names that folder, `*.jpg` does not."""

    parts: tuple[str, ...] = ()

    @classmethod
    def of(cls, patterns: Iterable[str]) -> NamedBy:
        """Take the names from patterns, except from negations."""
        wanted = [pattern.strip() for pattern in patterns if not pattern.startswith("!")]
        parts = {
            part.replace("\\", "").lower() for pattern in wanted for part in pattern.split("/")
        }
        return cls(tuple(part for part in parts if part.strip("*?")))

    def folder(self, name: str) -> bool:
        """Whether a pattern names this folder."""
        return any(fnmatchcase(name.lower(), part) for part in self.parts)

    def file(self, name: str) -> bool:
        """Whether a pattern names this file: `._*` does, `*.png` does not."""
        return any(part[0] not in _WILD and fnmatchcase(name.lower(), part) for part in self.parts)
