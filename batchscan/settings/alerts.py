"""Who is told of new matches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from batchscan.settings.addresses import WebhookUrl
from batchscan.settings.declaring import setting, subgroup
from batchscan.settings.kinds import Choice, FilePath, Variable, Words

FirstAnswer = Literal["tell", "silent"]


@dataclass(frozen=True, slots=True)
class Webhook:
    """A server that gets each message by POST."""

    url: str | None = setting(
        None, "where to; what follows the host is never shown", WebhookUrl(), shown=False
    )
    secret_env: str | None = setting(
        None, "the environment variable that holds the secret to sign messages with", Variable()
    )


@dataclass(frozen=True, slots=True)
class Alerts:
    """Who is told of new matches when a run has ended."""

    webhook: Webhook = subgroup(Webhook)
    on_new: tuple[str, ...] = setting(
        (), "a command that gets each message on its stdin; no shell reads it", Words()
    )
    apprise_file: str | None = setting(
        None,
        "a file only you can read with one URL of apprise a line: mail, Slack, Teams...",
        FilePath("the path of a file"),
    )
    apprise_env: str | None = setting(
        None, "the environment variable that holds such URLs", Variable()
    )
    first_answer: FirstAnswer = setting(
        "tell",
        "silent: what a picture's first answer shows is no news",
        Choice(get_args(FirstAnswer)),
    )
    ping_url: str | None = setting(
        None,
        "as healthchecks.io has it: the command tells it when a scan starts and how it ends",
        WebhookUrl(),
        shown=False,
    )
