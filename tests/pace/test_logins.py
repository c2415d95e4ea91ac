"""The login budget of several real processes that share a state folder."""

from __future__ import annotations

import asyncio
import sys

from batchscan.emulator import EmulatorConfig
from batchscan.emulator.fault_actions import RevokeTokens
from batchscan.emulator.faults import Fault
from batchscan.emulator.threaded import serve_in_thread

PROCESSES = 4
LOGINS, WINDOW = 12, 900.0  # the vendor's login page

PROCESS = """
import asyncio, sys, time
from pathlib import Path
from batchscan.copyleaks.client import ApiAccount, CopyleaksClient
from batchscan.copyleaks.errors import AuthenticationFailed, LoginBudgetSpent, TokenRefused
from batchscan.copyleaks.transport import Transport

async def main(url, file):
    account = ApiAccount(url, url, "me@example.com", "key-of-the-test")
    open_ = Transport(user_agent="t", connect_timeout=30, read_timeout=60, connections=1)
    async with open_ as transport:
        client = CopyleaksClient(account, transport, Path(file), time.time)
        while True:
            try:
                await client.credits()
            except (AuthenticationFailed, TokenRefused):
                continue
            except LoginBudgetSpent as spent:
                print(client.logins, spent.retry_after)
                return

asyncio.run(main(*sys.argv[1:]))
"""


async def test_processes_whose_every_token_is_refused_log_in_twelve_times_together(tmp_path):
    no_token_lasts = Fault(route="credits", action=RevokeTokens())
    with serve_in_thread(EmulatorConfig(faults=(no_token_lasts,))) as emulator:
        words = [sys.executable, "-c", PROCESS, emulator.url, str(tmp_path / "token.json")]
        processes = [
            await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
            for _ in range(PROCESSES)
        ]
        said = [(await process.communicate())[0].split() for process in processes]
        statuses = [entry.status for entry in emulator.journal.of("login")]

    assert statuses == [200] * LOGINS
    assert sum(int(logins) for logins, _ in said) == LOGINS
    assert all(0 < float(wait) <= WINDOW for _, wait in said)
