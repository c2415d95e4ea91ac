"""Reports that would be the same as an earlier run's, known by what they are made from."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

import msgspec

from batchscan import version
from batchscan.allow.active import ActiveAllowRules, existing_paths, summarize
from batchscan.ledger import CachedFile, Ledger, ReportView, ThisProcess
from batchscan.report.schema import Report
from batchscan.report.unchecked_table import render
from batchscan.report_sections import MatchSummary
from batchscan.runs.reports import MATCHES, PAGE, write_page, write_table
from batchscan.runs.unchecked import UNCHECKED, unchecked_files, write_unchecked
from batchscan.util.atomic_file import identity, link_atomic

_BYTES = 16  # of a fingerprint


@dataclass(frozen=True, slots=True)
class ReportBasis:
    """What a run's report is made from."""

    digest: MatchSummary
    view: ReportView | None = None  # of the pictures seen; None where nothing could be asked
    fingerprint: bytes | None = None  # None: nothing is to be remembered
    known: bool = False  # an earlier run had the same


def find_basis(ledger: Ledger, view: ReportView, allowing: ActiveAllowRules) -> ReportBasis:
    """What is known of the pictures seen; worked out anew only where something has changed."""
    found = fingerprint_of(ledger, view, allowing)
    digest = ledger.report_cache.digest(found)
    if digest is not None:
        return ReportBasis(digest, view, found, known=True)
    digest = summarize(view, allowing)
    ledger.report_cache.keep(found, digest)
    return ReportBasis(digest, view, found)


def fingerprint_of(ledger: Ledger, view: ReportView, allowing: ActiveAllowRules) -> bytes:
    """Tell what the digest of the pictures seen is made from, apart from everything else."""
    pictures = blake2b(digest_size=_BYTES)
    for picture_id, path, fresh in view.with_matches():
        pictures.update(b"%d %d %b\0" % (picture_id, fresh, path))
        if allowing.looks_at_paths:  # rules see where else it is, on the disk too
            for other in existing_paths(ledger.history.paths_of(picture_id)):
                pictures.update(b"%b\0" % other)
    # Which runs are reported counts where any match is new for it
    news, changes = view.reported_runs(), ledger.report_cache.changes()
    rest = (version.version(), changes, news, allowing.signature, pictures.hexdigest())
    return blake2b(msgspec.json.encode(rest), digest_size=_BYTES).digest()


def write_or_link(
    folder: str,
    report: Report,
    ledger: Ledger,
    basis: ReportBasis,
    folders: Mapping[str, str],
    now: float,
) -> Report:
    """Leave what is beside `report.json` in a run's folder; the report then says whose it is.

    One that would be the same as an earlier run's is that very file, where the file system has
    links.

    Args:
        folder: of the run.
        report: what `report.json` will say.
        ledger: which saw what the run saw.
        basis: what the digest was made from.
        folders: that could not be read, and why.
        now: when this is.

    Raises:
        StorageError: the disk would not take it.
    """
    view = basis.view or ledger.view(ThisProcess())
    leaving = _Leaving(folder, report.run.id, ledger, basis.fingerprint)
    if report.unchecked_table is not None:
        said = blake2b(digest_size=_BYTES)
        for part in render(unchecked_files(folder, ledger), folders):
            said.update(part)
        leaving.leave(
            UNCHECKED,
            said.digest(),
            lambda: write_unchecked(folder, unchecked_files(folder, ledger), folders),
        )
    leaving.leave(MATCHES, b"", lambda: write_table(folder, report, view, now))
    made_for = leaving.leave(PAGE, _facts(report), lambda: write_page(folder, report, view, now))
    same_as = None if made_for == report.run.id else made_for
    return msgspec.structs.replace(report, run=msgspec.structs.replace(report.run, same_as=same_as))


@dataclass(frozen=True, slots=True)
class _Leaving:
    """Leaves files in one run's folder."""

    folder: str
    run_id: str
    ledger: Ledger
    fingerprint: bytes | None

    def leave(self, name: str, facts: bytes, write: Callable[[], object]) -> str:
        """Link a file that was made from the same, or write one; the run that it was made for."""
        if self.fingerprint is None:
            write()
            return self.run_id
        path, cache = os.path.join(self.folder, name), self.ledger.report_cache
        known = cache.file(self.fingerprint, name, facts)
        if known is None or not link_atomic(os.fsdecode(known.path), path, known.identity):
            write()
            known = None
        run_id = known.run_id if known else self.run_id
        file = CachedFile(run_id, os.fsencode(os.path.abspath(path)), identity(path))
        cache.keep_file(self.fingerprint, name, facts, file)
        return run_id


def _facts(report: Report) -> bytes:
    """Tell what a page says beside its digest, apart from everything else but its run's name."""
    run = msgspec.structs.replace(
        report.run, id="", started_at="", finished_at="", duration_s=0.0, same_as=None
    )
    said = msgspec.structs.replace(report, run=run, domains=[], images=[])
    return blake2b(msgspec.json.encode(said), digest_size=_BYTES).digest()
