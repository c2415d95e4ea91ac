"""The flags of `batchscan scan` and the sections of its help page, in the order of the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from batchscan.cli.help import EXIT_CODES
from batchscan.cli.options import setting_option

_Function = TypeVar("_Function", bound=Callable[..., Any])

SECTIONS = (
    (
        "Other commands (each has its own --help)",
        (
            ("demo [DIR]", "the whole job on this machine, without an account"),
            ("emulator --web DIR", "the vendor's API on this machine, for rehearsals"),
            ("report", "a run's report again, as HTML, CSV, JUnit, Markdown or JSON"),
            ("mark WORD DOMAIN|URL", "what was decided about matches: reviewed, noticed..."),
            ("export", "everything the ledger knows, one line for each image"),
            ("allow add|list", "rules for matches that may stay, such as your own sites"),
            ("takedown --to DIR", "drafts of notices to sites, for what is marked reviewed"),
            ("evidence pack|verify", "the service's answers in a file to hand over and check"),
            ("alerts test|pending|send", "who is told of new matches, and what waits"),
            ("credits", "the account's balance"),
            ("doctor", "check settings, account, clock and state folder"),
            ("schedule --systemd|--cron", "units, or a crontab line, for a scan every night"),
            ("state COMMAND", "stats|check|backup FILE|prune|vacuum: look after the ledger"),
        ),
    ),
    ("Exit codes", EXIT_CODES),
    (
        "Examples",
        (
            ("batchscan -n ./images                 what would be sent, and its price", ""),
            ("batchscan -q --max-credits 500 /srv   for cron: speaks up when needed", ""),
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
                "only files that match, by gitignore rules relative to each PATH; repeatable",
            ),
            ("scan.exclude", ("--exclude",), "GLOB", "leave out; wins over --include; repeatable"),
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
                "follow links, also to what lies outside PATH",
            ),
            (
                "scan.min_age",
                ("--min-age",),
                "DURATION",
                "leave files alone that changed more recently",
            ),
        ),
    ),
    (
        "What is asked",
        (
            (
                "dry_run",
                ("-n", "--dry-run"),
                None,
                "send nothing; tell what would be sent and what it costs. Needs no account",
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
                "ask again about images whose answer is older",
            ),
            ("force", ("--force",), None, "ask again about everything in this run"),
            (
                "rehash",
                ("--rehash",),
                None,
                "open every file again; what is known is still not sent",
            ),
            (
                "accept_old_ledger",
                ("--accept-old-ledger",),
                None,
                "go on with a ledger that lacks what was paid for, and pay again; remembered",
            ),
            (
                "scan.check",
                ("--check",),
                "full|fast",
                "full decodes every pixel before paying, fast reads headers and end markers",
            ),
            (
                "scan.renditions",
                ("--renditions",),
                "report|cover|ask",
                (
                    "versions of one picture, as WordPress makes: ask about each and count them, ask "
                    "about one of each, or do not look for any"
                ),
            ),
            (
                "send.convert",
                ("--convert",),
                "auto|never",
                "send a JPEG made of what the API would refuse (HEIC, TIFF, big RAW), or reject it",
            ),
            (
                "send.metadata",
                ("--metadata",),
                "strip|keep",
                "send pictures without EXIF, XMP, IPTC and comments, or as they are",
            ),
        ),
    ),
    (
        "Pace and patience",
        (
            ("pace.concurrency", ("-j", "--concurrency"), "N", "uploads under way at once"),
            (
                "pace.rate",
                ("--rate",),
                "N/PERIOD",
                "at most N in any PERIOD, such as 900/15m; repeatable, all hold at once",
            ),
            ("api.retry_for", ("--retry-for",), "DURATION", "how long an outage is waited out"),
            (
                "scan.if_locked",
                ("--if-locked",),
                "fail|wait|skip",
                "when another run holds the state folder",
            ),
            (
                "scan.jitter",
                ("--jitter",),
                "DURATION",
                "wait a random time before all this, at most so long",
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
                "inspect and upload on a Dask cluster, this machine by default; local starts one",
            ),
        ),
    ),
    (
        "Limits: no new uploads from there on, what is under way finishes",
        (
            ("spend.max_credits", ("--max-credits",), "N", "credits to spend at most"),
            ("spend.limit", ("--limit",), "N", "pictures to send at most"),
            ("spend.max_duration", ("--max-duration",), "DURATION", "time to spend at most"),
        ),
    ),
    (
        "What is said",
        (
            (
                "scan.fail_on",
                ("--fail-on",),
                "none|new|full|any|unchecked",
                "exit 10 when pictures have such matches or are rejected; several with commas",
            ),
            ("output.json", ("--json",), None, "the final report on stdout as one JSON object"),
            (
                "output.quiet",
                ("-q", "--quiet"),
                None,
                "nothing when all is well, but a line on newly rejected pictures",
            ),
            ("output.verbose", ("-v", "--verbose"), None, "log every step"),
            (
                "output.progress",
                ("--progress",),
                "auto|plain|none",
                "a bar on a terminal, a line a minute elsewhere; or always lines; or nothing",
            ),
            ("output.log_format", ("--log-format",), "text|json", "how log lines are written"),
            ("output.log_file", ("--log-file",), "FILE", "log to this file too; it rotates"),
            (
                "output.metrics_file",
                ("--metrics-file",),
                "FILE",
                "figures for Prometheus's textfile collector, at the end",
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
