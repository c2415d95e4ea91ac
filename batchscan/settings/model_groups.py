"""Groups of settings: takedown drafts, rechecks, spending, engine, alerts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Final, Literal, NamedTuple, get_args
from urllib.parse import urlsplit

from batchscan.settings.address_types import WebhookUrlType
from batchscan.settings.fields import setting, subgroup
from batchscan.settings.numeric_types import DurationType, IntType, PriceType, SizeType
from batchscan.settings.published import Published, PublishedType
from batchscan.settings.types import (
    ArgvType,
    BoolType,
    ChoiceType,
    EnvVarNameType,
    LineType,
    PathType,
    SettingType,
    TimeZoneType,
)

Role = Literal["owner", "agent"]
NoticeForm = Literal["dmca", "dsa", "both"]


@dataclass(frozen=True, slots=True)
class Takedown:
    """The sender of takedown notices; fields that are not set are blanks in drafts."""

    name: str | None = setting(None, "who signs: a person's full name", LineType())
    organization: str | None = setting(None, "the firm that the signer represents", LineType())
    address: str | None = setting(None, "the full postal address, in quotes", LineType())
    phone: str | None = setting(None, "a telephone number, in quotes", LineType())
    email: str | None = setting(None, "the address for answers; sites may publish it", LineType())
    role: Role | None = setting(
        None,
        "the signer's role: owner of the works, or agent",
        ChoiceType(get_args(Role)),
    )
    owner: str | None = setting(
        None, "the owner of the works, if the signer is an agent", LineType()
    )
    published: tuple[Published, ...] = setting(
        (),
        "where originals are published: [{images: GLOB, url: ...}]; {name} is the file's name",
        PublishedType(),
    )
    form: NoticeForm = setting(
        "dmca",
        "dmca: 17 U.S.C. 512(c)(3); dsa: article 16 of the EU's Digital Services Act; or both",
        ChoiceType(get_args(NoticeForm)),
    )
    template_md: str | None = setting(
        None, "a Jinja2 template of your own for the Markdown draft", PathType("the path of a file")
    )
    template_txt: str | None = setting(
        None, "the same for the plain text", PathType("the path of a file")
    )
    template_dsa_md: str | None = setting(
        None, "a template for the Markdown draft of the form dsa", PathType("the path of a file")
    )
    template_dsa_txt: str | None = setting(
        None, "the same for the plain text of the form dsa", PathType("the path of a file")
    )


_YEAR = 366 * 86_400.0


@dataclass(frozen=True, slots=True)
class Recheck:
    """How `batchscan recheck` asks sites whether copies are still there."""

    pause: float = setting(
        2.0,
        "minimum time between two requests to one host",
        DurationType(0, 3_600),
    )
    timeout: float = setting(30.0, "maximum time for one address", DurationType(1, 600))
    max_picture: int = setting(
        20_000_000, "maximum size of a fetched picture", SizeType(1, 64 * 1024**2)
    )
    max_page: int = setting(5_000_000, "maximum size of a fetched page", SizeType(1, 64 * 1024**2))
    gone_after: float = setting(
        86_400.0,
        "minimum time between the two answers that make a copy gone",
        DurationType(3_600, _YEAR),
    )
    resume_within: float = setting(
        3_600.0,
        "how long an interrupted recheck can be continued; later it starts again",
        DurationType(0, _YEAR),
    )


@dataclass(frozen=True, slots=True)
class Spend:
    """Limits after which no new uploads start."""

    max_credits: int | None = setting(
        None, "credits that one run may spend", IntType(0), flag="--max-credits"
    )
    per_day: int | None = setting(
        None, "credits that all runs of this state folder may spend in a calendar day", IntType(0)
    )
    per_month: int | None = setting(
        None,
        "the same in a calendar month; rescans are spread evenly over its days",
        IntType(0),
    )
    time_zone: str = setting(
        "UTC", "the time zone in which a day begins, such as Europe/Berlin", TimeZoneType()
    )
    matched_first: bool = setting(
        False,
        "true: rescan pictures with matches sooner; their answers count as twice as old",
        BoolType(),
    )
    limit: int | None = setting(None, "pictures that one run may send", IntType(0), flag="--limit")
    credit_price: str | None = setting(
        None, "the price of a credit, such as 0.01 EUR, so that reports show money too", PriceType()
    )
    max_duration: float | None = setting(
        None,
        "how long one run may start new uploads",
        DurationType(0, _YEAR),
        flag="--max-duration",
    )


LOCAL = "local"
_SCHEMES = frozenset({"tcp", "tls", "ws", "wss"})


@dataclass(frozen=True)
class SchedulerType(SettingType):
    """The address of a Dask scheduler, or `local` for processes on this machine."""

    allowed: str = "local, or a scheduler's address such as tcp://10.0.0.1:8786 or tls://dask:8786"

    def read(self, raw: object) -> object:
        """Remove a slash at the end."""
        return raw.strip().rstrip("/") if isinstance(raw, str) else raw

    def check(self, value: object) -> None:
        """Reject anything but `local` and addresses of schedulers."""
        if value == LOCAL:
            return
        if not isinstance(value, str) or not value.isprintable() or " " in value:
            raise ValueError
        try:
            parts = urlsplit(value)
            port = parts.port
        except ValueError:
            raise ValueError from None
        if parts.username is not None or parts.password is not None:
            raise ValueError("it holds a user name or password")
        if parts.scheme not in _SCHEMES or not parts.hostname or not port or parts.path:
            raise ValueError


@dataclass(frozen=True, slots=True)
class Engine:
    """Where pictures are inspected and uploaded."""

    dask: str | None = setting(
        None,
        "a Dask scheduler such as tcp://10.0.0.1:8786, or local; default: this machine alone",
        SchedulerType(),
        flag="--dask",
    )


FirstAnswer = Literal["tell", "silent"]


@dataclass(frozen=True, slots=True)
class Webhook:
    """A server that gets each message by POST."""

    url: str | None = setting(
        None, "its URL; batchscan shows only the host of it", WebhookUrlType(), shown=False
    )
    secret_env: str | None = setting(
        None,
        "the environment variable that holds the secret to sign messages with",
        EnvVarNameType(),
    )


@dataclass(frozen=True, slots=True)
class Alerts:
    """The targets of messages about new matches."""

    webhook: Webhook = subgroup(Webhook)
    on_new: tuple[str, ...] = setting(
        (), "a command that gets each message on its stdin; it runs without a shell", ArgvType()
    )
    apprise_file: str | None = setting(
        None,
        "a file only you can read with one URL of apprise a line: mail, Slack, Teams...",
        PathType("the path of a file"),
    )
    apprise_env: str | None = setting(
        None, "an environment variable that holds such URLs", EnvVarNameType()
    )
    first_answer: FirstAnswer = setting(
        "tell",
        "tell, or silent: no messages about matches in the first answer about a picture",
        ChoiceType(get_args(FirstAnswer)),
    )
    ping_url: str | None = setting(
        None,
        "URL of a check at healthchecks.io or a similar server: called when a scan starts and ends",
        WebhookUrlType(),
        shown=False,
    )


class AlertTargetKind(NamedTuple):
    """A kind of alert target, and the settings of `Alerts` that it is configured by."""

    module: str  # in `batchscan.alerts`: its `open_targets(alerts, environ, now)` opens them
    settings: tuple[str, ...]  # each of which alone names a target
    secrets: tuple[str, ...] = ()  # those that name an environment variable with a secret


# Modules are named by strings and imported when a target is configured: they take their time.
ALERT_TARGETS: Final = (
    AlertTargetKind("webhook", ("webhook.url",), ("webhook.secret_env",)),
    AlertTargetKind("command", ("on_new",)),
    AlertTargetKind("apprise", ("apprise_file", "apprise_env"), ("apprise_env",)),
)


def secret_variables(alerts: Alerts) -> Iterator[str]:
    """The environment variables that hold secrets of alert targets."""
    for kind in ALERT_TARGETS:
        yield from filter(None, (attrgetter(key)(alerts) for key in kind.secrets))
