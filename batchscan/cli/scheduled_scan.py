"""Making a job from the arguments of `batchscan schedule`: absolute, validated, no secrets."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import click

import batchscan
from batchscan.cli import scan
from batchscan.cli.options import given_flags
from batchscan.errors import UsageError
from batchscan.ledger import FILE_NAME
from batchscan.schedule import Job, Timing
from batchscan.schedule.systemd import STATE
from batchscan.settings import Settings
from batchscan.settings.catalog import entries
from batchscan.settings.credentials import read_key_file
from batchscan.settings.load import LoadedSettings, load
from batchscan.settings.locations import state_folder
from batchscan.settings.model_groups import secret_variables
from batchscan.settings.types import PathType
from batchscan.stores.environment import ScanLocations
from batchscan.util import system
from batchscan.walk import check_roots
from batchscan.walk.roots import absolute

USUAL_KEY = "/etc/batchscan/key"
_SERVICE_STATE = f"/var/lib/{STATE}"
_LISTS = ("files_from", "files0_from")
# Of the environment, what else reaches the network: Python's own and ours.
_NETWORK = ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR")
_TO_END = 120.0  # seconds for the report and the alerts


@dataclass(frozen=True, slots=True)
class ScheduleRequest:
    """The options of `batchscan schedule` itself."""

    name: str
    timing: Timing
    systemd: bool  # else cron


@dataclass(frozen=True, slots=True)
class ScheduledScan:
    """A scan with its arguments, and the settings that they result in now."""

    wish: ScheduleRequest
    flags: Mapping[str, object]  # by dotted key, as they were given
    loaded: LoadedSettings

    @property
    def settings(self) -> Settings:
        """All settings, made absolute."""
        return self.loaded.settings

    @property
    def roots(self) -> tuple[str, ...]:
        """The absolute paths of the pictures."""
        return tuple(map(absolute, self.settings.roots))

    @property
    def places(self) -> ScanLocations:
        """The locations of the pictures."""
        return ScanLocations(self.roots)

    def is_set(self, key: str) -> bool:
        """Whether a flag or the settings file sets this; the environment will not be the same."""
        origin = self.loaded.origins[key]
        return key in self.flags or (self.loaded.file or "\0") in origin

    @property
    def kept_state(self) -> str | None:
        """The user's own state folder, if it has paid answers."""
        if self.is_set("output.state"):
            return None
        try:
            own = state_folder(self.settings)
        except UsageError:  # there is no home
            return None
        return str(own) if os.path.exists(own / FILE_NAME) else None

    @property
    def key_file(self) -> str | None:
        """The path for the API key; None if the settings file names it or none is needed."""
        named = self.settings.account.api_key_file
        if self.settings.dry_run:
            return None
        if self.wish.systemd:
            return named or USUAL_KEY
        if named is not None:
            return None if self.is_set("account.api_key_file") else named
        own = os.path.expanduser("~/.config/batchscan/key")
        return own if os.path.isabs(own) else USUAL_KEY

    @property
    def writes(self) -> tuple[str, ...]:
        """The folders that it writes to, apart from the one that systemd creates."""
        output = self.settings.output
        folders = [output.directory] if self.is_set("output.directory") else []
        folders += [output.state] if self.is_set("output.state") and output.state else []
        folders += [self.kept_state] if self.kept_state else []
        files = (output.log_file, output.metrics_file)
        folders += [os.path.dirname(file) for file in files if file]
        made = f"{_SERVICE_STATE}/"
        return tuple(
            dict.fromkeys(folder for folder in folders if not f"{folder}/".startswith(made))
        )

    def job(self) -> Job:
        """Everything that units and crontab lines are made from."""
        api = self.settings.api
        return Job(
            name=self.wish.name,
            timing=self.wish.timing,
            program=_program(),
            words=tuple(self._words()),
            environment=dict(self._environment()),
            secrets=tuple(self._secrets()),
            key_file=self.key_file,
            pictures=self.places.local,
            writes=self.writes,
            uses=tuple(self._uses()),
            user=_user(),
            skips=self.settings.scan.if_locked == "skip",
            patience=api.connect_timeout + api.read_timeout + _TO_END,
        )

    def _words(self) -> Iterator[str]:
        yield "scan"
        if self.loaded.file is not None:
            yield f"--config={self.loaded.file}"
        for option in scan.command.params:
            key = (option.name or "").replace("__", ".")
            if isinstance(option, click.Option) and key in self.flags and key != "config":
                yield from self._option(option, key)
        yield from self._pinned()
        yield from self.roots

    def _option(self, option: click.Option, key: str) -> Iterator[str]:
        flag, value = max(option.opts, key=len), self.flags[key]
        if option.is_flag:
            yield flag
            return
        entry = next((entry for entry in entries() if entry.key == key), None)
        if entry is not None and isinstance(entry.kind, PathType):
            value = entry.of(self.settings)
        elif key in _LISTS:
            value = os.path.abspath(str(value))
        for item in value if isinstance(value, tuple) else (value,):
            yield f"{flag}={item}"

    def _pinned(self) -> Iterator[str]:
        """Paths that would differ in the service: cron starts elsewhere, systemd sets no home."""
        if self.wish.systemd and self.kept_state is not None:
            yield f"--state={self.kept_state}"
        if not self.wish.systemd and not self.is_set("output.directory"):
            yield f"--output={self.settings.output.directory}"
        if not self.wish.systemd and not self.is_set("output.state"):
            yield f"--state={state_folder(self.settings)}"
        allow = self.settings.scan.allow
        if allow is not None and self.loaded.file is None and "scan.allow" not in self.flags:
            yield f"--allow={allow}"

    def _environment(self) -> Iterator[tuple[str, str]]:
        for entry in entries():
            from_environ = self.loaded.origins[entry.key].startswith("environment")
            if entry.env and from_environ and entry.key != "account.api_key_file":
                yield entry.env, os.environ[entry.env]
        yield from self.places.environment()
        for name in _NETWORK:
            if os.environ.get(name) and "@" not in os.environ[name]:
                yield name, os.environ[name]

    def _secrets(self) -> Iterator[str]:
        yield from secret_variables(self.settings.alerts)
        yield from (name for name in _NETWORK if "@" in os.environ.get(name, ""))
        yield from self.places.secrets()

    def _uses(self) -> Iterator[str]:
        yield from (sys.prefix, sys.base_prefix, os.path.dirname(batchscan.__file__))
        yield from (*_program()[:1], *self.settings.alerts.on_new[:1], *self.writes)
        yield from self.places.uses()
        yield from filter(None, (self.settings.files_from, self.settings.files0_from))
        for entry in entries():
            value = entry.of(self.settings)
            made = entry.key == "output.directory" and not self.is_set(entry.key)
            if isinstance(entry.kind, PathType) and isinstance(value, str) and not made:
                yield value
        if self.loaded.file is not None:
            yield self.loaded.file


def schedule(
    wish: ScheduleRequest, words: Sequence[str], folders: Mapping[str, object]
) -> ScheduledScan:
    """Parse and validate a scan's arguments, as the scan itself would.

    Args:
        wish: what was asked for beside them.
        words: the scan's words.
        folders: `-c`, `-o` and `--state`, where they were among our own options.

    Raises:
        UsageError: the scan would end with 2.
    """
    with scan.command.make_context("batchscan scan", list(words)) as context:
        flags = given_flags(
            {**folders, **{k: v for k, v in context.params.items() if v is not None}}
        )
    loaded = load(flags, os.environ, credentials=False)
    settings = loaded.settings
    if not (settings.roots or settings.files_from or settings.files0_from):
        raise UsageError("no PATH was given", advice="end with the folders to scan")
    for path in filter(None, (settings.files_from, settings.files0_from)):
        if path == "-":
            raise UsageError("a scheduled scan has no stdin", advice="name a file instead of -")
        if not os.path.exists(path):
            raise UsageError(f"the list of files {path} does not exist")
    scheduled = ScheduledScan(wish, flags, loaded)
    check_roots(scheduled.roots, (settings.output.directory,))
    if not wish.systemd and settings.account.api_key_file and not settings.dry_run:
        read_key_file(settings.account.api_key_file, os.environ)
    return scheduled


def _program() -> tuple[str, ...]:
    """The command that starts batchscan from anywhere: its script, if it was started by that."""
    started = os.path.abspath(sys.argv[0])
    for script in (started, os.path.join(sysconfig.get_path("scripts"), "batchscan")):
        if os.path.basename(script) == "batchscan" and os.access(script, os.X_OK):
            return (script,)
    return (sys.executable, "-P", "-m", "batchscan")


def _user() -> str | None:
    return None if system.is_superuser() else system.user_name()
