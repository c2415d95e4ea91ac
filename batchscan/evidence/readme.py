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
Service asked: $service
$mock
CONTENTS

case.html                A summary on one page: our pictures beside theirs,
                         addresses, dates, decisions, captures and their
                         hashes. Open it in a browser; it loads nothing from
                         the web.
answers/SCAN_ID.json     The service's answers about a picture, each byte for
                         byte as it was received (decompressed if it was
                         compressed). Every answer ever received about the
                         picture is here.
pictures/SHA256.json     One file for each picture: its SHA-256, size, format
                         and dimensions; its path on the owner's disk; its
                         author by its own metadata (source "not recorded" if
                         that was never read); its Content Credentials (C2PA);
                         the answers about it and when they came; and each
                         match: address, pages, when answers first and last
                         showed it, decisions about it, and its captures.
captures/*.warc.gz       The content of a match's addresses at the time of
                         the capture: requests and responses as they were
                         transferred, in the format of web archives (WARC/1.1,
                         ISO 28500). pictures/ says which record of which file
                         is the picture, and which the page.
captures/*.tsr           The answer of a timestamp authority about the file
                         of the same name (RFC 3161).
runs/RUN_ID.json         The report of each run of batchscan that paid for
                         one of the answers: version, times, totals.
manifest.json            A list of all these files, each with its SHA-256.
SHA256SUMS               The same list for the program sha256sum.

A match is "gone" if the newest answer does not show it any more, and
"returned" if it came back after that. "disposition" and "marked_at" record the
owner's decisions; "allowed_by" is the owner's rule for copies that are
welcome. Times are UTC.

To keep our own pictures private, they are included only as thumbnails, in
case.html. Keep the originals: sha256sum shows whether a file is the picture
meant.

BEFORE YOU PASS IT ON

The reports in runs/ also name other pictures and sites, and pictures/ contains
paths on the owner's disk.

HOW TO CHECK IT WITHOUT BATCHSCAN

    mkdir evidence && cd evidence && unzip ../FILE.zip
    sha256sum -c SHA256SUMS          (macOS: shasum -a 256 -c SHA256SUMS)
    sha256sum manifest.json

The second command names every file that has changed since it was packed. The
third prints a number that was also printed when this pack was made. If the
maker kept that number elsewhere (on paper, in a mail, with a timestamping
service) and it is the same, nothing in here has changed since then.

    batchscan evidence verify FILE.zip --manifest-sha256 NUMBER

does all of this. It also names added files and checks the captures: whether
each record is complete, and whether it is what pictures/ says about it.

To open a capture without batchscan, use any program for WARC files, such as
warcio (pip install warcio) or ReplayWeb.page:

    warcio check captures/NAME.warc.gz
    warcio extract --payload captures/NAME.warc.gz POSITION > picture

To check a timestamp, with the authority's root certificate in CA.pem:

    openssl ts -verify -data captures/NAME.warc.gz \\
        -in captures/NAME.warc.gz.tsr -CAfile CA.pem
    openssl ts -reply -in captures/NAME.warc.gz.tsr -text

WHAT THIS DOES NOT PROVE

- That the service is right. It names addresses; whether they show the picture,
  and showed it then, must be checked by a person. Without a capture, this pack
  contains no page and no picture of others.
- What other people saw. A capture is what one computer received at one time; a
  site may show something else to others, or to browsers.
- When it happened, beyond doubt. Times are those of the computer that made it.
  A number kept elsewhere shows only that all this existed at that time, and a
  timestamp only that the capture did.
- That nothing was changed before it was packed. The owner of the ledger could
  have changed it; the service may still know the SCAN_ID.
- Who made the picture. Anyone can write metadata, and this is only what the
  file contained. "valid" Content Credentials mean that the picture is as its
  signer signed it, not that the signer can be trusted.
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
