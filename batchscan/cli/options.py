"""Options that several commands share, and loading settings from them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from batchscan.cli.help import GroupedOption, default_of, with_default
from batchscan.errors import UsageError

if TYPE_CHECKING:
    from batchscan.settings.load import LoadedSettings

_Function = TypeVar("_Function", bound=Callable[..., Any])
_FILES = "Settings, state and output"


def setting_option(
    key: str, *names: str, text: str, group: str, metavar: str | None = None
) -> Callable[[_Function], _Function]:
    """Declare the flag of a setting; its value is read and judged with all other settings.

    Args:
        key: the setting, `pace.rate`, or the field of `Settings` itself, `dry_run`.
        names: `-j`, `--concurrency`.
        text: what the help says, without the default.
        group: its group on the help page.
        metavar: the value's name; without one, it is a switch.
    """
    return click.option(
        *names,
        key.replace(".", "__"),
        cls=GroupedOption,
        group=group,
        help=with_default(key, text) if metavar else text,
        metavar=metavar,
        multiple=isinstance(default_of(key), tuple),
        is_flag=metavar is None,
        default=None,
        type=None if metavar is None else click.UNPROCESSED,
    )


def folder_options(function: _Function) -> _Function:
    """Declare `-c`, `-o` and `--state`, which every command has."""
    for declare in (
        setting_option(
            "output.state",
            "--state",
            metavar="DIR",
            group=_FILES,
            text="where the ledger is kept; else $STATE_DIRECTORY, else the user's state folder",
        ),
        setting_option(
            "output.directory",
            "-o",
            "--output",
            metavar="DIR",
            group=_FILES,
            text="where runs are written",
        ),
        click.option(
            "-c",
            "--config",
            cls=GroupedOption,
            group=_FILES,
            metavar="FILE",
            type=click.UNPROCESSED,
            help="settings file (YAML); else BATCHSCAN_CONFIG, else batchscan/config.yaml in the user's "
            "config folder",
        ),
    ):
        function = declare(function)
    return function


def allow_option(function: _Function) -> _Function:
    """Declare `--allow`, for commands that show what is allowed."""
    declare = setting_option(
        "scan.allow",
        "--allow",
        metavar="FILE",
        group=_FILES,
        text="rules for copies that may stay; else allow.yaml beside the settings file",
    )
    return declare(function)


def sandbox_option(function: _Function) -> _Function:
    """Declare `--sandbox`, for commands that read the ledger."""
    declare = click.option(
        "--sandbox",
        "api__sandbox",
        is_flag=True,
        default=None,
        cls=GroupedOption,
        group="What",
        help="the sandbox's mock answers instead of real ones",
    )
    return declare(function)


def connect_to_option(group: str) -> Callable[[_Function], _Function]:
    """Declare `--connect-to`, for commands that send requests to sites.

    Args:
        group: its group on the help page.
    """
    return click.option(
        "--connect-to",
        multiple=True,
        cls=GroupedOption,
        group=group,
        metavar="HOST:PORT:ADDRESS:PORT",
        help="connect to ADDRESS:PORT instead of HOST:PORT, as in curl, even if it is private; an "
        "empty HOST or PORT matches any; repeatable",
    )


def match_options(group: str) -> Callable[[_Function], _Function]:
    """Declare `--domain`, `--images` and `--url`, which choose matches; each is repeatable.

    Args:
        group: their group on the help page.
    """
    texts = {
        ("--domain", "domains", "DOMAIN"): "only matches on this site or below it",
        (
            "--images",
            "images",
            "GLOB",
        ): "only matches of pictures whose path matches this gitignore pattern",
        ("--url", "urls", "URL"): "only matches at this address; * matches anything",
    }

    def declared(function: _Function) -> _Function:
        for (flag, name, metavar), text in reversed(texts.items()):
            function = click.option(
                flag,
                name,
                multiple=True,
                cls=GroupedOption,
                group=group,
                metavar=metavar,
                help=f"{text}; repeatable",
            )(function)
        return function

    return declared


def given_flags(parameters: Mapping[str, object]) -> dict[str, object]:
    """The values on the command line, by the setting's dotted key."""
    return {
        name.replace("__", "."): value
        for name, value in parameters.items()
        if value is not None and value != ()
    }


def settings_of(parameters: Mapping[str, object], *, credentials: bool) -> LoadedSettings:
    """Load settings from a command's parameters, the environment and the file; configure logging.

    Args:
        parameters: what click hands to the command.
        credentials: whether to read the API key.

    Raises:
        UsageError: something given is not allowed.
    """
    # Imported here: neither --help nor a wrong flag needs YAML or logging
    from batchscan.console import log_config  # noqa: PLC0415
    from batchscan.settings import Secret  # noqa: PLC0415
    from batchscan.settings.load import load  # noqa: PLC0415

    loaded = load(given_flags(parameters), os.environ, credentials=credentials)
    ping_url = loaded.settings.alerts.ping_url
    secrets = [loaded.settings.account.api_key, Secret(ping_url) if ping_url else None]
    log_config.configure(loaded.settings.output, secrets)
    return loaded


def port_error(port: int, error: OSError) -> UsageError:
    """The error for a port that cannot be listened on."""
    if error.errno == errno.EADDRINUSE:
        return UsageError(
            f"port {port} is already in use",
            advice="choose another, or leave out --port for any free one",
        )
    return UsageError(f"port {port}: {os.strerror(error.errno) if error.errno else error}")
