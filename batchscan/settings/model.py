"""Every setting once: name, type, default, and why one would change it.

The groups are the groups of the YAML file; `metadata["help"]` is the line that
`config.example.yaml` and `batchscan doctor` show. Durations are seconds, sizes are bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from batchscan.settings.address_types import UrlType
from batchscan.settings.fields import setting, unwritten
from batchscan.settings.model_groups import (
    Alerts,
    Engine,
    FirstAnswer,
    NoticeForm,
    Recheck,
    Role,
    Spend,
    Takedown,
    Webhook,
)
from batchscan.settings.numeric_types import (
    DurationType,
    FractionType,
    IntType,
    RatesType,
    SizeType,
)
from batchscan.settings.sending import Convert, Metadata, Send
from batchscan.settings.types import BoolType, Choices, ChoiceType, PathType, PatternsType, WordType
from batchscan.settings.units import Rate

__all__ = [
    "Account",
    "AfterConflict",
    "Alerts",
    "Api",
    "Check",
    "Convert",
    "Engine",
    "FailOn",
    "FirstAnswer",
    "IfLocked",
    "LogFormat",
    "Metadata",
    "NoticeForm",
    "Output",
    "Pace",
    "ProgressMode",
    "Rate",
    "Recheck",
    "Role",
    "Scan",
    "Secret",
    "Send",
    "Settings",
    "Spend",
    "Takedown",
    "Webhook",
]

Check = Literal["full", "fast"]
Renditions = Literal["report", "cover", "ask"]
FailOn = Literal["none", "new", "full", "any", "unchecked"]
IfLocked = Literal["fail", "wait", "skip"]
AfterConflict = Literal["new_id", "stop"]
ProgressMode = Literal["auto", "plain", "none"]
LogFormat = Literal["text", "json"]


class Secret:
    """A string that no log, report or `repr` shows."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The string itself, for the login request only."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


_DAY = 86_400.0
_YEAR = 366 * _DAY


@dataclass(frozen=True, slots=True)
class Account:
    """The Copyleaks account."""

    email: str | None = setting(
        None,
        "the account's e-mail address",
        WordType("an e-mail address"),
        env="COPYLEAKS_EMAIL",
    )
    api_key_file: str | None = setting(
        None,
        "a file only you can read that holds the API key; never the key itself",
        PathType("the path of a file"),
        env="COPYLEAKS_API_KEY_FILE",
    )
    api_key: Secret | None = unwritten(None)


@dataclass(frozen=True, slots=True)
class Api:
    """The vendor's API, and how to deal with its errors."""

    url: str = setting(
        "https://api.copyleaks.com",
        "change it to use the emulator",
        UrlType(),
        env="COPYLEAKS_API_URL",
    )
    identity_url: str = setting(
        "https://id.copyleaks.com",
        "the address of the login",
        UrlType(),
        env="COPYLEAKS_IDENTITY_URL",
    )
    sandbox: bool = setting(
        False,
        "the vendor's free mock mode; its answers are never reused as real ones",
        BoolType(),
        flag="--sandbox",
    )
    attempts: int = setting(
        5, "how many times one picture is tried when the service fails", IntType(1, 20)
    )
    retry_for: float = setting(
        900.0,
        "how long a run keeps trying while the API is not available",
        DurationType(0, 30 * _DAY),
        flag="--retry-for",
    )
    after_conflict: AfterConflict = setting(
        "new_id",
        "if the service has lost an answer: new_id asks and pays again; stop ends the run",
        ChoiceType(get_args(AfterConflict)),
    )
    connect_timeout: float = setting(
        30.0, "raise it on very slow connections", DurationType(0.001, 600)
    )
    read_timeout: float = setting(
        150.0, "keep it above the 110 s that an answer may take", DurationType(0.001, 3600)
    )


@dataclass(frozen=True, slots=True)
class Scan:
    """Which files to scan, and how to check them."""

    include: tuple[str, ...] = setting(
        (),
        "only files that match one of these gitignore patterns",
        PatternsType(),
        flag="--include",
    )
    exclude: tuple[str, ...] = setting(
        (), "files to leave out; wins over include", PatternsType(), flag="--exclude"
    )
    follow_symlinks: bool = setting(
        False,
        "follow symbolic links, also to files outside the scanned folders",
        BoolType(),
        flag="--follow-symlinks",
    )
    min_age: float = setting(
        0.0,
        "skip files that changed more recently than this",
        DurationType(0, _YEAR),
        flag="--min-age",
    )
    check: Check = setting(
        "full",
        "full decodes every pixel; fast reads headers and end markers only",
        ChoiceType(get_args(Check)),
        flag="--check",
    )
    renditions: Renditions = setting(
        "report",
        "versions of one picture: report counts them, cover asks about one, ask does not compare",
        ChoiceType(get_args(Renditions)),
        flag="--renditions",
    )
    max_bytes: int = setting(
        20_000_000,
        "files from this size on are converted or rejected: the limit of the API",
        SizeType(1, 256 * 1024**2),
    )
    max_pixels: int = setting(
        75_000_000, "pictures of more pixels are converted or rejected", IntType(1, 1_000_000_000)
    )
    max_source_bytes: int = setting(
        4_000_000_000, "larger files are rejected, not converted", SizeType(1, 1024**4)
    )
    rescan_after: float | None = setting(
        None,
        "ask again about pictures whose answer is older than this, such as 30d",
        DurationType(0.001, 100 * _YEAR),
        flag="--rescan-after",
    )
    allow: str | None = setting(
        None,
        "rules for copies that may stay; default: allow.yaml beside this file",
        PathType(),
        flag="--allow",
    )
    fail_on: str = setting(
        "none",
        "exit 10 when pictures have such matches (new, full or any) or are unchecked; with commas",
        Choices(get_args(FailOn), alone="none"),
        flag="--fail-on",
    )
    if_locked: IfLocked = setting(
        "fail",
        "what to do when another run is using the state folder: fail, wait or skip",
        ChoiceType(get_args(IfLocked)),
        flag="--if-locked",
    )
    jitter: float = setting(
        0.0,
        "wait a random time first, at most this long, so that jobs do not start together",
        DurationType(0, 7 * _DAY),
        flag="--jitter",
    )


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast to send requests."""

    rate: tuple[Rate, ...] = setting(
        (Rate(10, 1.0),),
        "your account's limits, such as 900/15m; all apply at once",
        RatesType(),
        flag="--rate",
    )
    concurrency: int = setting(
        64,
        "number of uploads at the same time: at least the rate x the seconds an answer takes",
        IntType(1, 5000),
        flag="--concurrency",
    )
    headroom: float = setting(
        0.02, "extra time between requests, as a fraction of it", FractionType(0, 0.5)
    )
    per_host: tuple[Rate, ...] | None = setting(
        None, "limits of each sending machine, if the service limits addresses", RatesType()
    )


@dataclass(frozen=True, slots=True)
class Output:
    """What to write and print."""

    directory: str = setting(
        "./batchscan-output",
        "where runs are written, from the working folder; in a service: $STATE_DIRECTORY/output",
        PathType(beside_file=False),
        flag="--output",
    )
    state: str | None = setting(
        None,
        "ledger, token and lock; default: $STATE_DIRECTORY, else the user's state folder",
        PathType(),
        flag="--state",
    )
    keep_runs: int | None = setting(
        None,
        "how many runs to keep; null: the newest 90, and all others with results of their own",
        IntType(1),
    )
    progress: ProgressMode = setting(
        "auto",
        "auto: a bar on a terminal, else a line a minute; plain: lines; none: nothing",
        ChoiceType(get_args(ProgressMode)),
        flag="--progress",
    )
    log_format: LogFormat = setting(
        "text", "json for log collectors", ChoiceType(get_args(LogFormat)), flag="--log-format"
    )
    log_file: str | None = setting(
        None,
        "also log to this file; at 10 MB it is renamed to FILE.1, and so on up to FILE.5",
        PathType(),
        flag="--log-file",
    )
    metrics_file: str | None = setting(
        None,
        "a .prom file with figures for the textfile collector of Prometheus",
        PathType(),
        flag="--metrics-file",
    )
    quiet: bool = setting(False, "print nothing when all is well", BoolType(), flag="--quiet")
    verbose: bool = setting(False, "log every step", BoolType(), flag="--verbose")
    json: bool = unwritten(False)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a run.

    A program builds it directly; the command line uses `batchscan.settings.load`.
    """

    roots: tuple[str, ...] = ()
    files_from: str | None = None  # one name a line, "-" for stdin
    files0_from: str | None = None  # NUL-separated
    force: bool = False
    rehash: bool = False
    accept_old_ledger: bool = False
    dry_run: bool = False
    account: Account = field(default_factory=Account)
    api: Api = field(default_factory=Api)
    scan: Scan = field(default_factory=Scan)
    send: Send = field(default_factory=Send)
    pace: Pace = field(default_factory=Pace)
    engine: Engine = field(default_factory=Engine)
    spend: Spend = field(default_factory=Spend)
    output: Output = field(default_factory=Output)
    takedown: Takedown = field(default_factory=Takedown)
    recheck: Recheck = field(default_factory=Recheck)
    alerts: Alerts = field(default_factory=Alerts)
