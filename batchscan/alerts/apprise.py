"""Alert targets through apprise: mail, Slack, Teams, Telegram and a hundred more services.

Each URL is a target of its own, so that one service's outage does not repeat messages to others.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from batchscan.alerts.digest import read_message
from batchscan.alerts.interface import DeliveryFailure, secret_of
from batchscan.alerts.wording import text_of
from batchscan.errors import UsageError
from batchscan.settings import Alerts
from batchscan.settings.credentials import read_private
from batchscan.version import install_line

SECONDS = 30.0
_MAX_BYTES = 100_000  # bytes of a file with URLs
# Services with clickable links: mail and chats. Elsewhere addresses are written unclickable: a
# program might follow them, and on a public page they would lead others there.
_OWN_CHANNELS = frozenset({
    "mailto", "mailtos", "ses", "sendgrid", "mailgun", "sparkpost", "smtp2go", "resend", "brevo",
    "slack", "msteams", "workflow", "workflows", "tgram", "discord", "matrix", "matrixs", "signal",
    "signals", "whatsapp", "mmost", "mmosts", "rocket", "rockets", "gchat", "zulip", "ntfy",
    "ntfys", "gotify", "gotifys", "pover", "nctalk", "nctalks", "threema", "webexteams", "wxteams",
    "line", "join", "pbul", "ryver", "guilded", "revolt",
})  # fmt: skip
_SCHEMA = re.compile(r"[a-z][a-z0-9]{1,19}(?=://)", re.IGNORECASE)


def open_targets(
    alerts: Alerts,
    environ: Mapping[str, str],
    now: Callable[[], float],  # noqa: ARG001 - as all kinds of targets
) -> Iterator[AppriseTarget]:
    """The services that settings name.

    Raises:
        UsageError: apprise is not installed, or a file, a variable or a URL cannot be used.
    """
    return service_targets([UrlLine(where, url) for where, url in _urls(alerts, environ)])


def _urls(alerts: Alerts, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each URL of a service, and where it was given."""
    path, variable = alerts.apprise_file, alerts.apprise_env
    if path is not None:
        text = read_private(path, "alerts.apprise_file", _MAX_BYTES, environ)
        if text is None:
            raise UsageError(f"alerts.apprise_file {path}: too large for a list of URLs")
        for number, line in enumerate(text.splitlines(), 1):
            if (url := line.strip()) and not url.startswith(("#", ";")):
                yield f"alerts.apprise_file {path} line {number}", url
    if variable is not None:
        for url in secret_of("alerts.apprise_env", variable, environ).reveal().split():
            yield f"alerts.apprise_env: environment {variable}", url


@dataclass(frozen=True, slots=True)
class UrlLine:
    """A URL, and where it was given."""

    where: str  # for messages, without the URL: it is a secret
    url: str = field(repr=False)


class AppriseTarget:
    """One service, by its URL.

    Args:
        name: what the ledger calls it.
        line: its URL.

    Raises:
        UsageError: apprise is not installed, or does not know what to do with the URL.
    """

    seconds = SECONDS

    def __init__(self, name: str, line: UrlLine) -> None:
        try:
            import apprise  # noqa: PLC0415 - an extra, and slow
        except ImportError:
            advice = f"{install_line('alerts')}, or take the URLs out"
            raise UsageError(f"{line.where}: apprise is not installed", advice=advice) from None
        # Its warnings, and those of its libraries, contain URLs with secrets.
        for library in ("apprise", "urllib3", "requests"):
            logging.getLogger(library).setLevel(logging.CRITICAL)
        self.name = name
        scheme = _SCHEMA.match(line.url)
        self._clickable = scheme is not None and scheme[0].lower() in _OWN_CHANNELS
        self._notify_type = apprise.NotifyType.INFO
        self._text = apprise.NotifyFormat.TEXT
        self._apprise = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False))
        if not self._apprise.add(line.url):
            raise UsageError(
                f"{line.where}: apprise cannot use this URL",
                advice="try it by itself: `apprise -v -b test URL`",
            )

    async def send(self, message_id: str, body: bytes) -> DeliveryFailure | None:  # noqa: ARG002 - the body has it
        """Send a message once, as text."""
        title, text = text_of(read_message(body), clickable=self._clickable)
        if await _in_thread_of_its_own(lambda: self._notify(title, text)):
            return None
        return DeliveryFailure(
            "apprise could not deliver it; `apprise -v` with the same URL shows why"
        )

    def _notify(self, title: str, text: str) -> bool:
        sent = self._apprise.notify(
            body=text, title=title, notify_type=self._notify_type, body_format=self._text
        )
        return bool(sent)


async def _in_thread_of_its_own(work: Callable[[], bool]) -> bool:
    """Run blocking work in a daemon thread; after a cancellation it is abandoned."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[bool] = loop.create_future()

    def settle(result: bool) -> None:
        if not done.done():
            done.set_result(result)

    def run() -> None:
        try:
            result = work()
        except Exception:  # noqa: BLE001 - a plugin's bug is its service's trouble
            result = False
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, result)

    threading.Thread(target=run, name="apprise", daemon=True).start()
    return await done


def service_targets(lines: Iterable[UrlLine]) -> Iterator[AppriseTarget]:
    """A target for each URL, named by its kind: `apprise:slack`, `apprise:slack-2`.

    So a message waits for the same service when its token was changed.

    Raises:
        UsageError: as for `AppriseTarget`.
    """
    counts: Counter[str] = Counter()
    for line in lines:
        scheme = _SCHEMA.match(line.url)
        if scheme is None:
            raise UsageError(f"{line.where}: not a URL such as mailtos://... or slack://...")
        schema = scheme[0].lower()
        counts[schema] += 1
        number = f"-{counts[schema]}" if counts[schema] > 1 else ""
        yield AppriseTarget(f"apprise:{schema}{number}", line)
