"""The flags of `batchscan scan` and the sections of its help page, in the order of the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from batchscan.cli.dispatch import SUMMARIES
from batchscan.cli.help import EXIT_CODES
from batchscan.cli.options import setting_option

_Function = TypeVar("_Function", bound=Callable[..., Any])

SECTIONS = (
    ("Other commands (each has its own --help)", tuple(SUMMARIES.items())),
    ("Exit codes", EXIT_CODES),
    (
        "Examples",
        (
            ("batchscan -n ./images                 what would be sent, and its price", ""),
            (
                "batchscan -q --max-credits 500 /srv   for cron: prints little",
                "",
            ),
        ),
    ),
)

# group, then flags: (setting, names, value's name or None for a switch, what it does)
_FLAGS: tuple[tuple[str, tuple[tuple[str, tuple[str, ...], str | None, str], ...]], ...] = (
    (
        "Which files",
        (
            (
                "scan.include",
                ("--include",),
                "GLOB",
                "only files that match this gitignore pattern, relative to each PATH; repeatable",
            ),
            (
                "scan.exclude",
                ("--exclude",),
                "GLOB",
                "leave out files that match; wins over --include; repeatable",
            ),
            (
                "files_from",
                ("--files-from",),
                "FILE",
                "scan the files named in FILE, one a line; - is stdin",
            ),
            ("files0_from", ("--files0-from",), "FILE", "the same, with NUL between the names"),
            (
                "scan.follow_symlinks",
                ("--follow-symlinks",),
                None,
                "follow symbolic links, also to files outside PATH",
            ),
            (
                "scan.min_age",
                ("--min-age",),
                "DURATION",
                "skip files that changed more recently than this",
            ),
        ),
    ),
    (
        "What is sent",
        (
            (
                "dry_run",
                ("-n", "--dry-run"),
                None,
                "send nothing; show what would be sent and what it would cost. Needs no account",
            ),
            (
                "api.sandbox",
                ("--sandbox",),
                None,
                "the vendor's free mock mode; its answers are never reused as real ones",
            ),
            (
                "scan.rescan_after",
                ("--rescan-after",),
                "DURATION",
                "ask again about pictures whose answer is older than this",
            ),
            (
                "force",
                ("--force",),
                None,
                "ask again about every picture in this run, and pay for it",
            ),
            (
                "rehash",
                ("--rehash",),
                None,
                "read every file again; pictures that have an answer are still not sent",
            ),
            (
                "accept_old_ledger",
                ("--accept-old-ledger",),
                None,
                "continue with an older ledger that lacks paid answers, and pay for them again. Needed once",
            ),
            (
                "scan.check",
                ("--check",),
                "full|fast",
                "full: decode every pixel before paying; fast: read headers and end markers only",
            ),
            (
                "scan.renditions",
                ("--renditions",),
                "report|cover|ask",
                (
                    "smaller or recompressed versions of one picture: report asks about each and "
                    "counts them; cover asks about one of each; ask does not look for them"
                ),
            ),
            (
                "send.convert",
                ("--convert",),
                "auto|never",
                "auto: convert to JPEG what the API does not take (HEIC, TIFF, big RAW); never: reject it",
            ),
            (
                "send.metadata",
                ("--metadata",),
                "strip|keep",
                "strip: send pictures without EXIF, XMP, IPTC and comments; keep: send them as they are",
            ),
        ),
    ),
    (
        "Pace and waiting",
        (
            (
                "pace.concurrency",
                ("-j", "--concurrency"),
                "N",
                "number of uploads at the same time",
            ),
            (
                "pace.rate",
                ("--rate",),
                "N/PERIOD",
                "at most N requests in any PERIOD, such as 900/15m; repeatable, all apply at once",
            ),
            (
                "api.retry_for",
                ("--retry-for",),
                "DURATION",
                "how long to keep trying while the API is not available",
            ),
            (
                "scan.if_locked",
                ("--if-locked",),
                "fail|wait|skip",
                "what to do when another run is using the state folder",
            ),
            (
                "scan.jitter",
                ("--jitter",),
                "DURATION",
                "wait a random time first, at most this long",
            ),
        ),
    ),
    (
        "Where",
        (
            (
                "engine.dask",
                ("--dask",),
                "ADDRESS",
                "inspect and upload on a Dask cluster instead of this machine; local starts one",
            ),
        ),
    ),
    (
        "Limits: after these no new uploads start; those under way finish",
        (
            ("spend.max_credits", ("--max-credits",), "N", "spend at most this many credits"),
            ("spend.limit", ("--limit",), "N", "send at most this many pictures"),
            (
                "spend.max_duration",
                ("--max-duration",),
                "DURATION",
                "start no uploads after this time",
            ),
        ),
    ),
    (
        "Output",
        (
            (
                "scan.fail_on",
                ("--fail-on",),
                "none|new|full|any|unchecked",
                "exit 10 when pictures have such matches or are unchecked; separate several with commas",
            ),
            (
                "output.json",
                ("--json",),
                None,
                "print the final report on stdout as one JSON object",
            ),
            (
                "output.quiet",
                ("-q", "--quiet"),
                None,
                "print nothing if the exit code is 0, except for newly rejected pictures",
            ),
            ("output.verbose", ("-v", "--verbose"), None, "log every step"),
            (
                "output.progress",
                ("--progress",),
                "auto|plain|none",
                "auto: a bar on a terminal, else a line each minute; plain: lines; none: nothing",
            ),
            ("output.log_format", ("--log-format",), "text|json", "format of log lines"),
            ("output.log_file", ("--log-file",), "FILE", "also log to this file, with rotation"),
            (
                "output.metrics_file",
                ("--metrics-file",),
                "FILE",
                "at the end, write figures for the textfile collector of Prometheus",
            ),
        ),
    ),
)


def scan_options(function: _Function) -> _Function:
    """Declare every flag of a scan."""
    for group, flags in reversed(_FLAGS):
        for key, names, metavar, text in reversed(flags):
            declare = setting_option(key, *names, text=text, group=group, metavar=metavar)
            function = declare(function)
    return function
