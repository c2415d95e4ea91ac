"""Reusing the report files of an earlier run that were made from the same data."""

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
    """The data that a run's report is made from."""

    summary: MatchSummary
    view: ReportView | None = None  # of the pictures seen; None if the ledger cannot be read
    fingerprint: bytes | None = None  # of the data; None if files cannot be reused
    cached: bool = False  # whether an earlier run had the same summary


def find_basis(ledger: Ledger, view: ReportView, allowing: ActiveAllowRules) -> ReportBasis:
    """The summary of the pictures seen; from the cache if nothing has changed."""
    fingerprint = fingerprint_of(ledger, view, allowing)
    summary = ledger.report_cache.summary(fingerprint)
    if summary is not None:
        return ReportBasis(summary, view, fingerprint, cached=True)
    summary = summarize(view, allowing)
    ledger.report_cache.keep(fingerprint, summary)
    return ReportBasis(summary, view, fingerprint)


def fingerprint_of(ledger: Ledger, view: ReportView, allowing: ActiveAllowRules) -> bytes:
    """A fingerprint of everything that the summary of the pictures seen depends on."""
    pictures = blake2b(digest_size=_BYTES)
    for picture_id, path, fresh in view.with_matches():
        pictures.update(b"%d %d %b\0" % (picture_id, fresh, path))
        if allowing.depends_on_paths:  # rules depend on the picture's other paths, too
            for existing in existing_paths(ledger.history.paths_of(picture_id)):
                pictures.update(b"%b\0" % existing)
    # The reported runs matter only if they have new matches.
    news, changes = view.reported_runs(), ledger.report_cache.changes()
    context = (version.version(), changes, news, allowing.signature, pictures.hexdigest())
    return blake2b(msgspec.json.encode(context), digest_size=_BYTES).digest()


def write_or_link(
    folder: str,
    report: Report,
    ledger: Ledger,
    basis: ReportBasis,
    folders: Mapping[str, str],
    now: float,
) -> Report:
    """Write the files beside `report.json` into a run's folder; returns the updated report.

    A file that would be the same as an earlier run's is a hard link to that, if the file system
    has links.

    Args:
        folder: of the run.
        report: the content of `report.json`.
        ledger: the ledger of the run.
        basis: the data of the report.
        folders: that could not be read, and why.
        now: seconds since 1970.

    Raises:
        StorageError: a file cannot be written.
    """
    view = basis.view or ledger.view(ThisProcess())
    files = _FileWriter(folder, report.run.id, ledger, basis.fingerprint)
    if report.unchecked_table is not None:
        content_hash = blake2b(digest_size=_BYTES)
        for part in render(unchecked_files(folder, ledger), folders):
            content_hash.update(part)
        files.write(
            UNCHECKED,
            content_hash.digest(),
            lambda: write_unchecked(folder, unchecked_files(folder, ledger), folders),
        )
    files.write(MATCHES, b"", lambda: write_table(folder, report, view, now))
    made_for = files.write(PAGE, _facts(report), lambda: write_page(folder, report, view, now))
    same_as = None if made_for == report.run.id else made_for
    return msgspec.structs.replace(report, run=msgspec.structs.replace(report.run, same_as=same_as))


@dataclass(frozen=True, slots=True)
class _FileWriter:
    """Writes or links files in one run's folder."""

    folder: str
    run_id: str
    ledger: Ledger
    fingerprint: bytes | None

    def write(self, name: str, facts: bytes, make: Callable[[], object]) -> str:
        """Link a file made from the same data, or write one; returns the run that wrote it."""
        if self.fingerprint is None:
            make()
            return self.run_id
        path, cache = os.path.join(self.folder, name), self.ledger.report_cache
        cached = cache.file(self.fingerprint, name, facts)
        if cached is None or not link_atomic(os.fsdecode(cached.path), path, cached.identity):
            make()
            cached = None
        run_id = cached.run_id if cached else self.run_id
        file = CachedFile(run_id, os.fsencode(os.path.abspath(path)), identity(path))
        cache.keep_file(self.fingerprint, name, facts, file)
        return run_id


def _facts(report: Report) -> bytes:
    """A hash of everything else on a page, without what names the run itself."""
    run = msgspec.structs.replace(
        report.run, id="", started_at="", finished_at="", duration_s=0.0, same_as=None
    )
    comparable = msgspec.structs.replace(report, run=run, domains=[], images=[])
    return blake2b(msgspec.json.encode(comparable), digest_size=_BYTES).digest()
