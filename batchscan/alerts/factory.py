"""Opening the targets of the settings, and validating them before anything is sent."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping

from batchscan.alerts.interface import AlertTarget
from batchscan.errors import UsageError
from batchscan.settings import Alerts, Secret
from batchscan.settings.credentials import read_private

_MAX_BYTES = 100_000  # bytes of a file with URLs


def open_targets(
    alerts: Alerts, environ: Mapping[str, str], now: Callable[[], float] = time.time
) -> tuple[AlertTarget, ...]:
    """All targets; blocking.

    Args:
        alerts: the settings.
        environ: the process's environment, where the secrets are.
        now: seconds since 1970.

    Raises:
        UsageError: a secret or command is missing, or a URL cannot be used.
    """
    return (
        *_webhook(alerts, environ, now),
        *_command(alerts, environ),
        *_services(alerts, environ),
    )


def _webhook(
    alerts: Alerts, environ: Mapping[str, str], now: Callable[[], float]
) -> Iterator[AlertTarget]:
    url, variable = alerts.webhook.url, alerts.webhook.secret_env
    if url is None:
        if variable is not None:
            raise UsageError("alerts.webhook.secret_env: it needs alerts.webhook.url")
        return
    from batchscan.alerts.webhook import WebhookTarget  # noqa: PLC0415 - slow to import

    secret = None if variable is None else _secret("alerts.webhook.secret_env", variable, environ)
    yield WebhookTarget(url, secret, now)


def _command(alerts: Alerts, environ: Mapping[str, str]) -> Iterator[AlertTarget]:
    if not alerts.on_new:
        return
    from batchscan.alerts.command import CommandTarget  # noqa: PLC0415 - most do without

    command, *arguments = alerts.on_new
    path = shutil.which(command, path=environ.get("PATH"))
    if path is None:
        raise UsageError(
            f"alerts.on_new: {command!r} does not exist or cannot be run",
            advice="write the whole path of the command; cron and systemd search few folders",
        )
    ours = {"COPYLEAKS_API_KEY", alerts.webhook.secret_env, alerts.apprise_env}
    around = {name: value for name, value in environ.items() if name not in ours}
    yield CommandTarget((path, *arguments), around)


def _services(alerts: Alerts, environ: Mapping[str, str]) -> Iterator[AlertTarget]:
    if alerts.apprise_file is None and alerts.apprise_env is None:
        return
    from batchscan.alerts.apprise import UrlLine, service_targets  # noqa: PLC0415 - as above

    lines = [UrlLine(where, url) for where, url in _urls(alerts, environ)]
    yield from service_targets(lines)


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
        for url in _secret("alerts.apprise_env", variable, environ).reveal().split():
            yield f"alerts.apprise_env: environment {variable}", url


def _secret(key: str, variable: str, environ: Mapping[str, str]) -> Secret:
    value = environ.get(variable, "").strip()
    if not value:
        raise UsageError(
            f"{key}: the environment variable {variable} is not set",
            advice="set it where batchscan runs, or take that line out of the settings",
        )
    return Secret(value)
