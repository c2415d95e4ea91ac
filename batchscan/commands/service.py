"""Asking the service itself, for `credits` and `doctor`: login, balance, clock, a sandbox call."""

from __future__ import annotations

import secrets
import struct
import time
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from batchscan.commands.checks import Finding, Level
from batchscan.copyleaks.client import CopyleaksClient
from batchscan.copyleaks.errors import CopyleaksError
from batchscan.copyleaks.requests import check_form
from batchscan.copyleaks.responses import read_check
from batchscan.engines.local import check_proxies
from batchscan.engines.vendor_client import open_client, open_transport
from batchscan.engines.vendor_mapping import to_stop
from batchscan.errors import StorageError, UsageError
from batchscan.settings import Settings
from batchscan.settings.locations import state_folder
from batchscan.state.lock import make_private_folder

_SIDE = 64  # pixels of the tiny picture
_SKEW = 60.0  # seconds that a clock may be off before anyone need care


@asynccontextmanager
async def service(settings: Settings) -> AsyncIterator[CopyleaksClient]:
    """A client with the token that all runs share, so that looking costs no login.

    Raises:
        UsageError: there is no home folder, and no state folder is set; or the environment names a
            proxy that cannot be used.
        StorageError: the state folder cannot be made.
        StopRun: what the service's error inside the block means.
    """
    check_proxies(settings)
    state = state_folder(settings)
    make_private_folder(state)
    async with open_transport(settings) as transport:
        try:
            yield open_client(settings, transport, state / "token.json")
        except CopyleaksError as error:
            raise to_stop(error, settings.api) from error


async def balance(settings: Settings) -> int:
    """Credits left on the account.

    Raises:
        StopRun: the login was refused, or the service did not answer.
        UsageError: as for `service`.
    """
    async with service(settings) as client:
        return await client.credits()


async def check_service(
    settings: Settings, *, call: bool, now: Callable[[], float] = time.time
) -> list[Finding]:
    """Log in, ask for the balance, compare clocks, and with `call` try the sandbox.

    Args:
        settings: with complete credentials.
        call: whether to ask about a picture, in the sandbox.
        now: seconds since 1970, as this machine has it.
    """
    findings: list[Finding] = []
    try:
        async with service(settings) as client:
            findings += await _checks(client, settings, call=call, now=now)
    except StorageError as error:
        findings.append(Finding.of("state folder", error))
    except UsageError as error:
        findings.append(Finding.of("proxy", error))
    return findings


async def _checks(
    client: CopyleaksClient, settings: Settings, *, call: bool, now: Callable[[], float]
) -> list[Finding]:
    findings: list[Finding] = []
    try:
        await client.login()
        findings.append(
            Finding(Level.OK, "login", f"{settings.account.email} at {settings.api.identity_url}")
        )
        findings.append(_about_balance(await client.credits()))
        findings.append(_about_clock(client.server_time, now()))
        if call:
            findings.append(await _try_sandbox(client))
    except CopyleaksError as error:
        what = ("login", "balance", "clock", "sandbox call")[len(findings)]
        findings.append(Finding.of(what, to_stop(error, settings.api)))
    return findings


def _about_balance(left: int) -> Finding:
    if left:
        return Finding(Level.OK, "balance", f"{left:,} credits left")
    return Finding(Level.WARNING, "balance", "no credits left", "a scan would end with exit code 6")


def _about_clock(server_time: float | None, now: float) -> Finding:
    if server_time is None:
        return Finding(Level.OK, "clock", "unknown, as the service did not send its time")
    ahead = round(now - server_time)
    if abs(ahead) <= _SKEW:
        return Finding(Level.OK, "clock", "agrees with the service's")
    side = "ahead of" if ahead > 0 else "behind"
    return Finding(
        Level.WARNING,
        "clock",
        f"{abs(ahead):,} s {side} the service's",
        "set this machine's clock (NTP): tokens and waiting times depend on it",
    )


async def _try_sandbox(client: CopyleaksClient) -> Finding:
    scan_id = f"doctor-{secrets.token_hex(8)}"
    form = check_form(scan_id, tiny_png(), "doctor.png", "image/png", sandbox=True)
    checked = await client.check(scan_id, form)
    result = read_check(checked.body, scan_id)
    if result.trouble is not None:
        advice = "a scan would keep such answers but count none of these pictures as checked"
        return Finding(Level.PROBLEM, "sandbox call", result.trouble, advice, 3)
    matches = len(result.internet)
    return Finding(Level.OK, "sandbox call", f"answered, mock matches: {matches}")


def tiny_png() -> bytes:
    """A grey gradient; by hand, so that looking needs no imaging library."""
    rows = b"".join(b"\0" + bytes(range(0, 4 * _SIDE, 4)) for _ in range(_SIDE))
    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
