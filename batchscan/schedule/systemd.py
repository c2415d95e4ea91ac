"""A scheduled scan as units of systemd: a service that runs once, and its timer."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping

from batchscan.errors import StorageError, UsageError
from batchscan.schedule.job import Job
from batchscan.schedule.quoting import command_word, is_plain_path, unit_path, unit_rest, unit_word
from batchscan.settings.credentials import CREDENTIAL_NAME
from batchscan.util.atomic_file import write_atomic
from batchscan.util.escaping import printable

SECRETS = "/etc/batchscan/env"  # NAME=value, a line each
STATE = "batchscan"  # below /var/lib; the same for all jobs, which share their answers
_LIMIT_REACHED, _LOCKED, _STOPPED = 5, 7, 143
_HOMES = ("/home", "/root", "/run/user")
_TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108 - looked for, not used

# What a scan does not need. It starts children (camera RAW) and raises its limit of open files,
# so @resources is allowed.
_HARDENING = """
NoNewPrivileges=yes
ProtectSystem=strict
PrivateDevices=yes
PrivateMounts=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProcSubset=pid
KeyringMode=private
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
""".strip().splitlines()


def service_unit(job: Job) -> str:
    """The service.

    Raises:
        UsageError: a path cannot be written in a unit.
    """
    program, *rest = job.program
    command = [unit_word(program), *map(command_word, (*rest, *job.words))]
    return _text(
        [
            "[Unit]",
            f"Description=Look for copies of pictures on the web, {_plain(job.timing.words)}",
            "Wants=network-online.target",
            "After=network-online.target",
            *_paths("RequiresMountsFor", "", filter(is_plain_path, job.pictures)),
            "",
            "[Service]",
            "Type=oneshot",
            *([f"User={unit_rest(job.user)}"] if job.user else ()),
            *(f"Environment={unit_word(f'{n}={value}')}" for n, value in job.environment.items()),
            *([f"EnvironmentFile={SECRETS}"] if job.secrets else ()),
            *_credential(job),
            f"ExecStart={' '.join(command)}",
            *_ending(job),
            f"StateDirectory={STATE}",
            "StateDirectoryMode=0700",
            "UMask=0077",
            "",
            *_sandboxing(job),
        ]
    )


def timer_unit(job: Job) -> str:
    """The timer that starts the service."""
    return _text(
        [
            "[Unit]",
            f"Description=Start {job.name}.service {_plain(job.timing.words)}",
            "",
            "[Timer]",
            f"OnCalendar={job.timing.calendar}",
            f"RandomizedDelaySec={job.timing.spread:.0f}",
            "Persistent=true",
            "",
            "[Install]",
            "WantedBy=timers.target",
        ]
    )


def _credential(job: Job) -> Iterator[str]:
    if job.key_file is not None:
        yield f"LoadCredential={CREDENTIAL_NAME}:{unit_rest(job.key_file)}"


def _ending(job: Job) -> Iterator[str]:
    """How it is stopped, and which exit codes are not failures."""
    yield "# Its own limit is reached; stopped by systemd, and what was under way finished"
    fine = [_LIMIT_REACHED, _STOPPED]
    if job.skips:
        fine.insert(1, _LOCKED)
    yield f"SuccessExitStatus={' '.join(map(str, fine))}"
    yield "# What is under way is paid for: let it finish"
    yield "KillMode=mixed"
    yield f"TimeoutStopSec={job.patience:.0f}"


def _sandboxing(job: Job) -> Iterator[str]:
    """Sandboxing: what it can read, write and do."""
    yield f"PrivateTmp={'no' if _any_below(job.uses, _TEMPORARY) else 'yes'}"
    yield f"ProtectHome={'read-only' if _any_below(job.uses, _HOMES) else 'yes'}"
    yield from _paths("ReadOnlyPaths", "-", filter(is_plain_path, job.pictures))
    yield from _paths("ReadWritePaths", "", job.writes)
    # Root can still read files of other users; other users need no capability
    yield f"CapabilityBoundingSet={'' if job.user else 'CAP_DAC_OVERRIDE'}"
    yield from _HARDENING


def _paths(name: str, prefix: str, paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        yield f"{name}={unit_path(prefix + path)}"


def _any_below(paths: Iterable[str], folders: tuple[str, ...]) -> bool:
    return any(f"{path}/".startswith(f"{folder}/") for path in paths for folder in folders)


def _plain(text: str) -> str:
    return printable(text).replace("%", "%%")


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


_MODE = 0o644  # systemd complains of units that are secret
_ADVICE = "name another folder with --to, or run it as root"
_FIRST = re.compile(rb"# Made by batchscan schedule \(([0-9a-f]{16})\)\n")


def write_units(folder: str, units: Mapping[str, str]) -> None:
    """Write unit files, all or none; refuses to overwrite files that we did not write.

    Args:
        folder: a folder that is there.
        units: their text by file name.

    Raises:
        UsageError: a file exists that others wrote or changed.
        StorageError: the folder cannot be written.
    """
    for name in units:
        _refuse_others(os.path.join(folder, name))
    for name, text in units.items():
        path = os.path.join(folder, name)
        write_atomic(path, [_signed(text)], mode=_MODE, advice=_ADVICE)


def _signed(text: str) -> bytes:
    """A unit whose first line shows whether the rest was changed."""
    body = text.encode()
    return f"# Made by batchscan schedule ({_digest(body)})\n".encode() + body


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]


def _refuse_others(path: str) -> None:
    try:
        with open(path, "rb") as file:
            content = file.read()
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(
            f"cannot read '{printable(path)}': {error.strerror}", advice=_ADVICE
        ) from error
    first = _FIRST.match(content)
    if first is None or first[1].decode() != _digest(content[first.end() :]):
        raise UsageError(
            f"'{printable(path)}' exists, and was not written by batchscan or was changed since",
            advice="move it away, or choose another --name; changes belong into a drop-in "
            "(`systemctl edit`)",
        )
