"""`README.txt` of a pack, for readers who do not know batchscan."""

from __future__ import annotations

from string import Template
from typing import Final

_MOCK: Final = """
These are MOCK answers: they come from the service's sandbox, which invents
them for tests. They say nothing about the web.
"""

_TEXT: Final = Template("""\
EVIDENCE OF COPIES OF PICTURES ON THE WEB

Made by batchscan $batchscan from its ledger, at $made_at (UTC).
The service that was asked: $service
$mock
WHAT IS IN HERE

case.html                Everything in short, on one page for reading: our
                         picture beside theirs, addresses, dates, decisions,
                         captures and their hashes. Open it in a browser; it
                         gets nothing from the web.
answers/SCAN_ID.json     What the service answered when it was asked about a
                         picture: byte for byte as it was received (unpacked,
                         where it came compressed), nothing left out, nothing
                         added. Every answer about the picture that was ever
                         received is here.
pictures/SHA256.json     One file for each picture: its SHA-256, size, format
                         and dimensions, where it stood on the owner's disk,
                         what its own metadata says of its maker (source
                         "not recorded" where that was never read), what its
                         Content Credentials (C2PA) say, which answers are
                         about it and when they came, and each match:
                         address, pages, when the answers showed it first
                         and last, who decided what about it, and what was
                         captured.
captures/*.warc.gz       What stood at a match's addresses when it was
                         captured: requests and responses as they were
                         transferred, by the WARC/1.1 standard (ISO 28500),
                         which web archives use. pictures/ says which record
                         of which file is the picture, and which the page.
captures/*.tsr           What a timestamp authority answered about the file
                         of the same name (RFC 3161).
runs/RUN_ID.json         The report of each run of batchscan that paid for
                         one of the answers: version, times, totals.
manifest.json            A list of all these files, each with its SHA-256.
SHA256SUMS               The same list for the program sha256sum.

A match is "gone" when the newest answer does not show it any more, and
"returned" when it came back after that. "marked_at" and "disposition" are
notes of the owner, "allowed_by" is the owner's own rule for copies that are
welcome. Times are UTC.

Our own pictures are in here only small, in case.html, to keep them private.
Keep the originals: sha256sum tells whether one is the picture meant.

WHO MAY SEE IT

Before you hand it on: the reports of runs name other pictures and sites, too,
and pictures/ says where files stand on the owner's disk.

HOW TO CHECK IT WITHOUT BATCHSCAN

    mkdir evidence && cd evidence && unzip ../FILE.zip
    sha256sum -c SHA256SUMS          (macOS: shasum -a 256 -c SHA256SUMS)
    sha256sum manifest.json

The second command names every file that is not as it was packed. The third
prints the number that was given out when this was made: if whoever made it
kept that number apart, on paper, in a mail or at a timestamping service, and
it is the same, nothing in here was changed since then.

    batchscan evidence verify FILE.zip --manifest-sha256 NUMBER

does all of it, names what was added, too, and looks into the captures: whether
each record is whole, and whether it is what pictures/ says of it.

To look into a capture without batchscan, take any program for WARC files, such
as warcio (pip install warcio) or ReplayWeb.page:

    warcio check captures/NAME.warc.gz
    warcio extract --payload captures/NAME.warc.gz POSITION > picture

To check a timestamp, with the authority's root certificate in CA.pem:

    openssl ts -verify -data captures/NAME.warc.gz \\
        -in captures/NAME.warc.gz.tsr -CAfile CA.pem
    openssl ts -reply -in captures/NAME.warc.gz.tsr -text

WHAT THIS DOES NOT PROVE

- That the service is right. It says which addresses it found; whether they
  show the picture, and showed it then, a person has to look. Where nothing
  was captured, no page and no picture of others is in here.
- What others were shown. A capture is what one computer got at one time; a
  site may show something else to others, or to browsers.
- When it happened, beyond doubt. Times are those of the computer that asked.
  A number kept apart shows only that all this existed when it was kept, and a
  timestamp only that the capture existed then.
- That nobody changed it before it was packed. Whoever has the ledger may
  change that as well; the service may still know the SCAN_ID.
- Who made the picture. Metadata is easily written, and what stands here is
  only what stood in the file. Content Credentials that are "valid" say that
  the picture is as somebody signed it, not that the signer can be trusted.
- That a copy is unlawful. That is a question for a lawyer.
""")


def readme(batchscan: str, made_at: str, service: str, *, sandbox: bool) -> bytes:
    """Write the text.

    Args:
        batchscan: its version.
        made_at: when the pack was made.
        service: the address that was asked.
        sandbox: whether the answers are mock answers.
    """
    mock = _MOCK if sandbox else ""
    text = _TEXT.substitute(batchscan=batchscan, made_at=made_at, service=service, mock=mock)
    return text.encode()
