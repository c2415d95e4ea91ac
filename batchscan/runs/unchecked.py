"""Naming the pictures of a run without an answer: some in the report, all in unchecked.csv."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

import msgspec

from batchscan.enums import Status
from batchscan.ledger import Ledger, RejectedFile
from batchscan.report.run_folder import RESULTS
from batchscan.report.schema import Report, UncheckedFile
from batchscan.report.unchecked_table import render
from batchscan.util.atomic_file import storage_errors, write_atomic
from batchscan.util.escaping import path_fields, replace_surrogates

UNCHECKED = "unchecked.csv"
MAX_NAMED = 100  # files of each reason that a report names
MAX_DETAIL = 300  # characters of a detail in a report
_STATUS = b'"status":"'  # cannot occur inside a JSON string: quotes are escaped there
_WITHOUT_ANSWER = (b"rejected", b"failed", b"deferred")


class _RejectionReason(msgspec.Struct):
    """The needed fields of a rejected file's line."""

    reason: str
    detail: str | None = None


_LINES = msgspec.json.Decoder(UncheckedFile)
_REJECTIONS = msgspec.json.Decoder(_RejectionReason)


def of_run(folder: str) -> Iterator[UncheckedFile]:
    """The unchecked files that a run decided itself, from its `results.jsonl`.

    Raises:
        StorageError: the file cannot be read.
    """
    path = os.path.join(folder, RESULTS)
    with storage_errors(path):
        if not os.path.exists(path):
            return
        with open(path, "rb") as file:
            for line in file:
                start = line.find(_STATUS) + len(_STATUS)
                if line.startswith(_WITHOUT_ANSWER, start) and line.endswith(b"\n"):
                    yield _LINES.decode(line)


def rejected_before(files: Iterable[RejectedFile]) -> Iterator[UncheckedFile]:
    """Files that an earlier run rejected and that are still rejected."""
    for file in files:
        if file.line is None:
            continue
        rejection = _REJECTIONS.decode(file.line)
        path, path_b64 = path_fields(file.path)
        yield UncheckedFile(
            path=path,
            path_b64=path_b64,
            status=Status.UNCHANGED,
            reason=rejection.reason,
            detail=rejection.detail and replace_surrogates(rejection.detail),
            bytes=file.size,
        )


def unchecked_files(folder: str, ledger: Ledger) -> Iterator[UncheckedFile]:
    """All files without an answer in this process's run: rejected earlier, then decided by it.

    Raises:
        StorageError: the run's results cannot be read.
    """
    return chain(rejected_before(ledger.files.rejections.seen()), of_run(folder))


def found_again(folder: str, ledger: Ledger, report: Report) -> Iterator[UncheckedFile]:
    """The unchecked files of an ended run: its own, and files below its roots still rejected.

    Raises:
        StorageError: the run's results cannot be read.
    """
    own = of_run(folder)
    if not report.files.unchanged_rejected:
        yield from own
        return
    from_earlier_runs = Counter(report.unchecked) - Counter(report.reasons)
    named: set[str] = set()
    for file in own:
        if file.status is Status.REJECTED:
            named.add(file.path)
        yield file
    below = chain.from_iterable(map(ledger.files.rejections.under, report.run.roots))
    for file in rejected_before(below):
        if from_earlier_runs[file.reason] and file.path not in named:
            from_earlier_runs[file.reason] -= 1
            yield file


def some_of_each(files: Iterable[UncheckedFile]) -> list[UncheckedFile]:
    """At most `MAX_NAMED` files of each reason, in order."""
    named: Counter[str] = Counter()
    examples = []
    for file in files:
        named[file.reason] += 1
        if named[file.reason] <= MAX_NAMED:
            detail = file.detail and file.detail[:MAX_DETAIL]
            examples.append(msgspec.structs.replace(file, detail=detail))
    return examples


def write_missing_table(folder: str, report: Report, ledger: Ledger) -> list[str]:
    """Write a run's unchecked.csv again if it is gone; returns the paths.

    Raises:
        StorageError: it cannot be written, or the run's results cannot be read.
    """
    if report.unchecked_table is None or os.path.exists(os.path.join(folder, UNCHECKED)):
        return []
    folders = dict.fromkeys(report.files.unreadable_folder_names, "")
    return [write_unchecked(folder, found_again(folder, ledger, report), folders)]


def write_unchecked(folder: str, files: Iterable[UncheckedFile], why: Mapping[str, str]) -> str:
    """Write unchecked.csv into a run's folder atomically; returns its path.

    Raises:
        StorageError: it cannot be written.
    """
    path = os.path.join(folder, UNCHECKED)
    write_atomic(path, render(files, why))
    return path
