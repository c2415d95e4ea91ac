"""Ledgers with any history that scans can leave, over files that are really there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from batchscan.ledger import Everything, FileStat, FreshnessPolicy, Ledger
from batchscan.model import Stat
from tests.support.ledgers import answer, digest, image
from tests.support.settling import settle

RULES = "rules"
POLICY = FreshnessPolicy(RULES, "now", 0.0)
CONTENTS = 5
_contents = st.integers(0, CONTENTS - 1)
_folders = st.sampled_from(["a", "b", "b/c"])
_urls = st.sets(st.sampled_from([f"https://site{n}.example.com/x" for n in range(3)]))


@dataclass(frozen=True)
class File:
    """A file that a scan met, and what came of it."""

    folder: str
    content: int
    ending: str  # answered, refused, lost, open, rejected
    urls: frozenset[str]
    gone: bool  # since then


files = st.lists(
    st.builds(
        File,
        _folders,
        _contents,
        st.sampled_from(
            ["answered", "answered", "answered", "refused", "lost", "open", "rejected"]
        ),
        _urls.map(frozenset),
        st.booleans(),
    ),
    max_size=12,
)


def content_of(number: int) -> bytes:
    return b"content %d" % number


def sha256_of(number: int) -> str:
    return hashlib.sha256(content_of(number)).hexdigest()


def live(ledger: Ledger, root: Path, history: Sequence[File]) -> None:
    """Let each file be met in a run of its own, the later ones again where their content was met."""
    for number, file in enumerate(history):
        path = root / file.folder / f"{number}-{file.content}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content_of(file.content))
        with ledger.transaction():
            _meet(ledger, path, file, number)
    with ledger.transaction():
        after: int | None = 0
        while after is not None:
            after = ledger.files.build_cache(POLICY, after)
    for number, file in enumerate(history):
        if file.gone:
            (root / file.folder / f"{number}-{file.content}.png").unlink()


def _meet(ledger: Ledger, path: Path, file: File, number: int) -> None:
    run, found = f"run{number}", os.stat(path)
    stat = Stat(found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    ledger.runs.begin(
        run, f"/output/runs/{run}", float(number), b'{"roots": ["%s"]}' % bytes(path.parent)
    )
    ledger.runs.close(run, b"{}")
    if file.ending == "rejected":
        ledger.files.upsert(str(path), stat, rules=RULES, line=b'{"reason": "corrupt"}')
        return
    content = replace(image(str(path), content_of(file.content)), stat=stat)
    generation = ledger.known.lookup(content.sha256).generation + 1
    claim = ledger.claims.open(content, generation, run, float(number))
    if file.ending == "answered":
        settle(ledger, claim, answer(*sorted(file.urls), at=float(number)), run)
        ledger.files.upsert(str(path), stat, picture_id=claim.picture_id)
    elif file.ending == "refused":
        ledger.claims.refused(claim, b"{}")
        ledger.files.upsert(str(path), stat, rules=RULES, line=b'{"reason": "refused_by_api"}')
    elif file.ending == "lost":
        ledger.claims.mark_lost(claim, float(number))


def told(ledger: Ledger, root: Path) -> dict[str, Any]:
    """Everything that a scan would ask the ledger, and what it would say of matches."""
    with ledger.transaction():
        books = ledger.reporting.books()
        return {
            "known": [ledger.known.lookup(sha256_of(number)) for number in range(CONTENTS)],
            "unchanged": {folder: _sorted(ledger, folder) for folder in _tree(root)},
            "digest": digest(ledger, scope=Everything()),
            "paid": (books.charged, books.outcome_unknown, ledger.claims.largest_charge()),
            "spent": sum(ledger.charges.since(0.0, 1)),
            "open": list(ledger.claims.open_claims("run0")),
        }


def _tree(root: Path) -> list[str]:
    return sorted({str(path.parent) for path in root.rglob("*.png")})


def _sorted(ledger: Ledger, folder: str) -> tuple[int, list[FileStat]]:
    entries = []
    for name in sorted(os.listdir(folder)):
        found = os.stat(os.path.join(folder, name))
        if name.endswith(".png"):
            entries.append((name, found.st_size, found.st_mtime_ns, found.st_ctime_ns))
    result = ledger.files.classify(folder, entries, POLICY)
    return result.unchanged, result.changed
