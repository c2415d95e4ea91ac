"""What is wrong with targets is said before anything is sent."""

from __future__ import annotations

from importlib import import_module

import pytest

from batchscan.alerts import open_targets
from batchscan.errors import UsageError
from batchscan.settings import Alerts, Webhook
from batchscan.settings.catalog import entries
from batchscan.settings.model_groups import ALERT_TARGETS

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of apprise's plugins
URL = "https://hooks.example.com/T0-s3cr3t"
AROUND = {
    "PATH": "/usr/bin:/bin",
    "HOOK": "s1gning-s3cret",
    "URLS": "json://one.example\n xml://two",
}


def test_without_settings_no_alert_is_sent():
    assert open_targets(Alerts(), {}) == ()


def test_every_target_has_a_name_without_a_secret(tmp_path):
    urls = tmp_path / "urls"
    urls.write_text("# who is on call\n\n  json://k3y.example  \n; off: xml://two.example\n")
    urls.chmod(0o600)
    alerts = Alerts(
        webhook=Webhook(url=URL, secret_env="HOOK"),
        on_new=("cat", "-n"),
        apprise_file=str(urls),
        apprise_env="URLS",
    )
    names = [target.name for target in open_targets(alerts, AROUND)]
    assert names == ["webhook", "command", "apprise:json", "apprise:json-2", "apprise:xml"]


@pytest.mark.parametrize(
    ("alerts", "message"),
    [
        (Alerts(webhook=Webhook(URL, "GONE")), "webhook.secret_env: the environment variable GONE"),
        (Alerts(webhook=Webhook(URL, "EMPTY")), "environment variable EMPTY is not set"),
        (Alerts(webhook=Webhook(None, "HOOK")), "secret_env: it needs alerts.webhook.url"),
        (Alerts(on_new=("no-such-command",)), "alerts.on_new: 'no-such-command' does not exist"),
        (Alerts(on_new=("/etc/passwd",)), "alerts.on_new: '/etc/passwd' does not exist or cannot"),
        (Alerts(on_new=("/etc",)), "alerts.on_new: '/etc' does not exist or cannot be run"),
        (Alerts(apprise_env="GONE"), "alerts.apprise_env: the environment variable GONE"),
        (Alerts(apprise_file="/no/such/file"), "alerts.apprise_file /no/such/file: cannot be read"),
    ],
)
def test_what_is_not_there_is_refused_with_the_setting_that_names_it(alerts, message):
    with pytest.raises(UsageError, match=message):
        open_targets(alerts, {**AROUND, "EMPTY": " "})


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_of_urls_that_others_can_read_is_refused(tmp_path, mode):
    urls = tmp_path / "urls"
    urls.write_text("json://one.example\n")
    urls.chmod(mode)
    with pytest.raises(UsageError, match="others can read it") as caught:
        open_targets(Alerts(apprise_file=str(urls)), AROUND)
    assert caught.value.advice == f"chmod 600 {urls}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\n\nhooks.example.com/T0-s3cr3t\n", "line 3: not a URL"),
        (b"json://\xff\n", "not UTF-8"),
        (b"#" * 100_001, "too large for a list of URLs"),
    ],
)
def test_a_broken_file_of_urls_is_refused_with_the_line(tmp_path, content, message):
    urls = tmp_path / "urls"
    urls.write_bytes(content)
    urls.chmod(0o600)
    with pytest.raises(UsageError, match=message) as caught:
        open_targets(Alerts(apprise_file=str(urls)), AROUND)
    assert "T0-s3cr3t" not in str(caught.value)


async def test_a_command_inherits_the_environment_without_secrets(tmp_path):
    alerts = Alerts(
        webhook=Webhook(URL, "HOOK"),
        on_new=("sh", "-c", f"env > {tmp_path}/env"),
        apprise_env="URLS",
    )
    environ = {**AROUND, "COPYLEAKS_API_KEY": "k3y", "COPYLEAKS_EMAIL": "me@example.com"}
    command = open_targets(alerts, environ)[1]
    assert await command.send("0123", b"{}") is None

    around = (tmp_path / "env").read_text()
    assert "COPYLEAKS_EMAIL=me@example.com" in around
    for secret in ("k3y", "s1gning-s3cret", "one.example"):
        assert secret not in around


def test_each_kind_is_opened_by_its_module_and_configured_by_settings_that_are_there():
    keys = {entry.key for entry in entries() if entry.key.startswith("alerts.")}
    for kind in ALERT_TARGETS:
        assert callable(import_module(f"batchscan.alerts.{kind.module}").open_targets)
        assert {f"alerts.{key}" for key in (*kind.settings, *kind.secrets)} <= keys
