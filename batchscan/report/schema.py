"""`report.json`, field by field; its names are a contract, and only ever grow in number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from batchscan.enums import ExitReason, Status
from batchscan.report_sections import AllowRule, Domain, MatchedPicture, Matches, Rechecks
from batchscan.util.escaping import escape_json

SCHEMA: Literal[1] = 1


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The pictures that a dry run would send."""

    pictures: int
    bytes: int
    shared: int  # files that would share the answer of one that is sent
    rate: str  # such as 10/s


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Which run this was, and how it ended."""

    id: str
    roots: list[str]
    version: str
    started_at: str
    finished_at: str
    duration_s: float
    exit_code: int | None
    exit_reason: ExitReason
    partial: bool
    dry_run: bool
    at_least_s: float | None
    round_days: int | None = None
    plan: Plan | None = None
    renditions: str = "ask"  # report, cover or ask, as the run was told
    sandbox: bool
    force: bool = False  # whether it asked again about pictures with an answer, with --force
    message: str | None
    advice: str | None
    same_as: str | None = (
        None  # the earlier run that report.html was made for: nothing changed since
    )


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """The books: `seen` is the sum of the seven statuses, and of `checked` and `unchecked`.

    What a report of before there were `checked` and `unchecked` does not say is null.
    """

    seen: int
    checked: int | None = None
    unchecked: int | None = None
    unchanged: int
    scanned: int
    reused: int
    covered: int = 0  # not asked about: another version of the same picture is answered
    rejected: int
    failed: int
    deferred: int
    unchanged_rejected: int | None = None
    ignored: int
    excluded: int
    unreadable_folders: int
    empty_roots: list[str]
    bytes: int
    unreadable_folder_names: list[str] = []  # some of the unreadable folders
    renditions: int | None = None  # versions of other pictures; null where none were looked for
    renditions_credits: int | None = None  # what asking about them cost, or covering them saved
    converted: int = 0  # sent as a JPEG made of them
    converted_formats: dict[str, int] = {}  # the same by format


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """Credits in money, each as in `3.00 EUR`."""

    price: str  # of one credit
    charged: str
    expected: str
    outcome_unknown: str


class Credits(msgspec.Struct, frozen=True, kw_only=True):
    """Credits; `outcome_unknown` may have been charged without an answer."""

    charged: int
    expected: int
    saved_by_reuse: int
    outcome_unknown: int
    balance: int | None
    money: Money | None = None  # the same in money, where a setting says what a credit costs


class AlertTrouble(msgspec.Struct, frozen=True, kw_only=True):
    """A target that did not get everything, and the messages that wait for it."""

    target: str
    pending: int
    trouble: str


class Alerts(msgspec.Struct, frozen=True, kw_only=True):
    """Messages about new matches: those that this run brought to their targets, and what waits."""

    told: int
    pending: int
    troubles: list[AlertTrouble]


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """Which workers of a Dask cluster took part; the addresses of those that were lost."""

    workers: int
    hosts: int
    lost: list[str]


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """How long answers took, in milliseconds; null where nothing was asked."""

    p50: float | None = None
    p95: float | None = None
    max: float | None = None


class Api(msgspec.Struct, frozen=True, kw_only=True):
    """Requests to the API; `bytes_sent` counts request bodies."""

    requests: int
    retries: int
    rate_limited: int
    logins: int
    latency_ms: Latency
    bytes_sent: int


NOTHING_ASKED = Api(
    requests=0, retries=0, rate_limited=0, logins=0, latency_ms=Latency(), bytes_sent=0
)


class UncheckedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that has no answer, and why; `unchanged` ones were rejected by an earlier run."""

    path: str
    path_b64: str | None
    status: Status
    reason: str
    detail: str | None
    bytes: int | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The aggregate report of one run of batchscan."""

    schema: Literal[1]
    run: Run
    files: Files
    reasons: dict[str, int]
    unchecked: dict[str, int] = msgspec.field(default_factory=dict)  # why pictures have no answer
    unchecked_files: list[UncheckedFile] = msgspec.field(
        default_factory=list
    )  # some of each reason
    unchecked_table: str | None = None  # the file in the run's folder that names all of them
    credits: Credits
    matches: Matches
    run_matches: Matches
    domains: list[Domain]
    images: list[MatchedPicture]
    allow_rules: list[AllowRule] = msgspec.field(default_factory=list)
    rechecks: Rechecks | None = None
    alerts: Alerts | None = None
    cluster: Cluster | None = None
    api: Api


_LISTS = ("unchecked_files", "domains", "images", "allow_rules")  # of objects, which may be many


def encode(report: Report) -> bytes:
    """The JSON of `report.json`: indented, but an entry of a long list is one line."""
    bare = msgspec.structs.replace(report, **{name: [] for name in _LISTS})
    text = msgspec.json.format(msgspec.json.encode(bare), indent=2)
    for name in _LISTS:
        if entries := getattr(report, name):
            lines = b",\n    ".join(map(msgspec.json.encode, entries))
            empty = b'\n  "%b": []' % name.encode()  # a string has no line feed
            text = text.replace(empty, b"%b\n    %b\n  ]" % (empty[:-1], lines))
    return escape_json(text) + b"\n"


def json_schema() -> dict[str, Any]:
    """Describe `report.json` as a JSON Schema (2020-12)."""
    described = msgspec.json.schema(Report)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **described}


_SECTIONS = ("files", "reasons", "unchecked", "credits", "matches", "run_matches")


def figures(report: Report) -> dict[str, int]:
    """Every figure of a report, as in `{"matches.total": 120}`; what is not known has none."""
    return {
        f"{section}.{name}": value
        for section in _SECTIONS
        for name, value in _items(getattr(report, section))
        if isinstance(value, int)
    }


def _items(section: msgspec.Struct | dict[str, int]) -> Iterator[tuple[str, Any]]:
    fields = section if isinstance(section, dict) else msgspec.structs.asdict(section)
    yield from fields.items()
