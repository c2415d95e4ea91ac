"""`batchscan evidence capture|pack|verify`: evidence of matches, for other people."""

from __future__ import annotations

import os
import re
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import click

from batchscan.cli.evidence_capture import capture
from batchscan.cli.help import GroupedOption, HelpCommand, HelpGroup
from batchscan.cli.options import allow_option, folder_options, settings_of
from batchscan.console.terminal import fitted, print_data
from batchscan.errors import UsageError
from batchscan.util.escaping import printable, replace_surrogates

if TYPE_CHECKING:
    from batchscan.evidence.manifest import Manifest
    from batchscan.evidence.pack import Packed
    from batchscan.evidence.verify import Verification
    from batchscan.evidence.verify_captures import CaptureReport

_WHAT = "What"
_SHOWN = 100  # faults named one by one
_SHA256 = re.compile("[0-9a-fA-F]{64}")
_FAULTY = 3
_MAX_CERTIFICATES = 1_000_000  # bytes
_ZIP = b"PK"  # how every zip file begins


@click.command(
    "pack",
    cls=HelpCommand,
    short_help="put the answers about some pictures into one zip file",
    help="Write a zip file with the evidence about pictures: every answer of the service byte for "
    "byte, the matches and their history, the pictures' SHA-256 and metadata, and the reports of "
    "the runs. Nothing is sent.",
)
@click.option(
    "--domain",
    "domains",
    multiple=True,
    cls=GroupedOption,
    group=_WHAT,
    metavar="DOMAIN",
    help="pictures with a match on this site or below it, now or earlier; repeatable",
)
@click.option(
    "--image",
    "images",
    multiple=True,
    cls=GroupedOption,
    group=_WHAT,
    metavar="PATH",
    help="this picture, if it has or had a match; repeatable",
)
@click.option(
    "--to",
    required=True,
    cls=GroupedOption,
    group=_WHAT,
    metavar="FILE.zip",
    help="a new file that only you can read",
)
@allow_option
@folder_options
def pack(
    *, domains: tuple[str, ...], images: tuple[str, ...], to: str, **parameters: object
) -> int:
    """Run the command; returns the exit code."""
    from batchscan.allow.active import ActiveAllowRules  # noqa: PLC0415
    from batchscan.evidence.manifest import PackRequest  # noqa: PLC0415
    from batchscan.evidence.pack import PackInputs, pack  # noqa: PLC0415
    from batchscan.evidence.select import select_pictures  # noqa: PLC0415
    from batchscan.state.access import read_ledger  # noqa: PLC0415 - --help does without

    if not domains and not images:
        raise UsageError("nothing to pack was named", advice="give --domain DOMAIN or --image PATH")
    now = time.time()
    settings = settings_of(parameters, credentials=False).settings
    asked_for = PackRequest(
        list(map(replace_surrogates, domains)),
        [replace_surrogates(os.path.abspath(path)) for path in images],
    )
    with read_ledger(settings) as ledger:
        rules = ActiveAllowRules.of(settings, now).rules
        pictures = select_pictures(ledger, domains, images)
        packed = pack(ledger, pictures, PackInputs(asked_for, rules, now), to)
    print_data("\n".join(_packed(packed)))
    return 0


@click.command(
    "verify",
    cls=HelpCommand,
    short_help="check a pack, and name what was altered",
    help="Check every file of a pack against the list in it, and name what was altered, is "
    "missing or was added. Nothing is unpacked, and neither ledger nor settings are needed.",
    options_metavar="[OPTIONS]",
    sections=(
        (
            "Exit codes",
            (
                ("0", "everything is as it was packed"),
                ("2", "usage: the file does not exist or cannot be opened"),
                ("3", "something was altered, is missing or was added, or the file is not a pack"),
            ),
        ),
    ),
)
@click.argument("file", metavar="FILE.zip", type=click.UNPROCESSED)
@click.option(
    "--manifest-sha256",
    cls=GroupedOption,
    group=_WHAT,
    metavar="HEX",
    help="the SHA-256 that `evidence pack` printed; without it, a pack that was replaced as a whole is not noticed",
)
@click.option(
    "--timestamp-ca",
    "timestamp_ca",
    cls=GroupedOption,
    group=_WHAT,
    metavar="FILE.pem",
    type=click.UNPROCESSED,
    help="root certificates of the timestamp authorities that must have signed the timestamps",
)
@folder_options
def verify(*, file: str, manifest_sha256: str | None, timestamp_ca: str | None, **_: object) -> int:
    """Run the command; returns the exit code."""
    from batchscan.evidence.verify import verify  # noqa: PLC0415 - --help does without

    if manifest_sha256 is not None and not _SHA256.fullmatch(manifest_sha256):
        raise UsageError("--manifest-sha256: 64 hexadecimal digits are expected")
    with _opened(file) as opened:
        if opened.read(len(_ZIP)) != _ZIP:
            print_data(f"{printable(file)} is not an evidence pack: it is not a zip file")
            return _FAULTY
        opened.seek(0)
        checked = verify(opened, manifest_sha256, _roots(timestamp_ca))
    if checked.faults or checked.manifest is None:
        print_data("\n".join(_faulty(file, checked)))
        return _FAULTY
    print_data("\n".join(_intact(file, checked.files, checked.manifest)))
    if checked.captures.files:
        print_data("\n".join(_captures(checked.captures)))
    print_data("\n".join(_number(checked, number_given=manifest_sha256 is not None)))
    return 0


command = HelpGroup(
    "evidence",
    capture,
    pack,
    verify,
    text="Keep evidence of copies: capture what sites show, and pack it with the answers of the "
    "service into a file that anybody can check, with or without batchscan.",
)


@contextmanager
def _opened(path: str) -> Iterator[IO[bytes]]:
    if os.path.exists(path) and not os.path.isfile(path):
        raise UsageError(f"'{printable(path)}' is not a file")
    try:
        with open(path, "rb") as file:
            yield file
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        text = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"'{printable(path)}' cannot be read: {text}") from None


def _packed(packed: Packed) -> Iterator[str]:
    from batchscan.report.wording import amount  # noqa: PLC0415 - as above

    size = os.stat(packed.path).st_size
    name = printable(packed.path)
    yield f"{name}: {amount(packed.files, 'file')}, {amount(size, 'byte')}"
    yield fitted(
        f"  {amount(packed.pictures, 'picture')}, {amount(packed.answers, 'answer')} of the "
        f"service, {amount(packed.runs, 'run report')}, {amount(packed.captures, 'capture')}; "
        "case.html is for reading, README.txt explains the files",
        sys.stdout,
    )
    for missing in packed.missing:
        yield f"  left out: the capture {printable(missing)} is missing or was altered"
    yield f"SHA-256 of manifest.json: {packed.manifest_sha256}"
    yield "  Keep this number apart from the file: mail it to yourself, print it, or have"
    yield "  a timestamping service sign it. With it, anybody can check later that nothing"
    yield "  was changed:"
    yield f"  batchscan evidence verify {shlex.quote(name)} --manifest-sha256 {packed.manifest_sha256}"


def _faulty(path: str, checked: Verification) -> Iterator[str]:
    for fault in checked.faults[:_SHOWN]:
        yield printable(f"{fault.what}: {fault.name}: {fault.detail}")
    if len(checked.faults) > _SHOWN:
        yield f"and {len(checked.faults) - _SHOWN:,} more"
    is_pack = checked.manifest is not None or checked.manifest_sha256 is not None
    what = "not as it was packed" if is_pack else "not an evidence pack, or not as it was packed"
    yield f"{printable(path)} is {what}"


def _intact(path: str, files: int, manifest: Manifest) -> Iterator[str]:
    from batchscan.report.wording import amount  # noqa: PLC0415 - as above

    yield fitted(
        f"{printable(path)} is as it was packed: {amount(files, 'file')} of "
        f"{amount(manifest.pictures, 'picture')} and {amount(manifest.answers, 'answer')} by "
        f"{printable(manifest.service)}, packed at {printable(manifest.made_at)}",
        sys.stdout,
    )


def _roots(path: str | None) -> bytes | None:
    """The certificates in a file.

    Raises:
        UsageError: it cannot be read.
    """
    if path is None:
        return None
    with _opened(path) as file:
        return file.read(_MAX_CERTIFICATES)


def _captures(report: CaptureReport) -> Iterator[str]:
    from batchscan.report.wording import amount  # noqa: PLC0415 - as above

    text = f"{amount(report.files, 'capture')} with {amount(report.records, 'whole record')}"
    if report.timestamps:
        text += f", {amount(report.timestamps, 'timestamp')} of these files"
        signed = "signed by an authority of --timestamp-ca"
        text += f" ({signed})" if report.checked == report.timestamps else ""
    yield text
    if report.timestamps and not report.checked:
        yield "  Who signed the timestamps was not checked: give --timestamp-ca FILE.pem, or"
        yield "  ask openssl as README.txt says."
    for name in report.unread[:_SHOWN]:
        yield f"  {printable(name)} cannot be read here; openssl may be able to: see README.txt"


def _number(checked: Verification, *, number_given: bool) -> Iterator[str]:
    yield f"SHA-256 of manifest.json: {checked.manifest_sha256}{', as expected' if number_given else ''}"
    if not number_given:
        yield "  Compare it with the number that was kept when this was packed, or give that"
        yield "  number with --manifest-sha256. Without it, this shows only that the files of"
        yield "  the pack agree with each other."
