"""Injecting the faults of one request."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TypeVar

from aiohttp import web

from batchscan.emulator import bodies, malformed
from batchscan.emulator.account import EmulatedAccount
from batchscan.emulator.bodies import HttpReply
from batchscan.emulator.fault_actions import (
    Action,
    AnswerInstead,
    Delay,
    Drip,
    EmptyBalance,
    Hang,
    Odd,
    Replace,
    Reset,
    RevokeTokens,
    Tear,
)
from batchscan.emulator.journal import RequestRecord
from batchscan.emulator.malformed import odd_body

_Kind = TypeVar("_Kind", bound=Action)
_OK = 200


class FaultInjector:
    """Applies the faults of one request at their stages.

    Each stage returns the response that ends the request, or None to continue.
    """

    def __init__(
        self,
        request: web.Request,
        visit: RequestRecord,
        account: EmulatedAccount,
        closing: asyncio.Event,
    ) -> None:
        self._request = request
        self._visit = visit
        self._account = account
        self._closing = closing

    def add(self, actions: Iterable[Action]) -> None:
        """Add actions; those on the account are applied at once."""
        for action in actions:
            if isinstance(action, RevokeTokens):
                self._account.revoke_tokens()
            elif isinstance(action, EmptyBalance):
                self._account.balance = 0
            else:
                self._visit.actions.append(action)

    async def before_reading(self) -> web.StreamResponse | None:
        """Apply resets and answers that do not wait for the body."""
        reset, answer = self._first(Reset), self._first(AnswerInstead)
        if reset is not None and reset.when != "after":
            if reset.when == "reading":
                await self._request.content.readany()
            return self._reset()
        if answer is not None and answer.when == "reading":
            await self._request.content.readany()
            return await self._answer(answer)
        return None

    async def before_answering(self) -> web.StreamResponse | None:
        """Apply delays, hangs and answers that replace the service's."""
        for action in self._visit.actions:
            if isinstance(action, Delay):
                await self._pause(action.seconds)
        reset, hang, answer = self._first(Reset), self._first(Hang), self._first(AnswerInstead)
        if reset is not None and reset.when != "after":  # it came with the file's name
            return self._reset()
        if hang is not None and hang.when == "before":
            return await self._hang(hang)
        if answer is not None and answer.when != "after":
            return await self._answer(answer)
        return None

    async def send(self, reply: HttpReply) -> web.StreamResponse:
        """Send the service's answer, with the faults of sending."""
        if self._first(Reset) is not None:
            return self._reset()
        hang = self._first(Hang)
        if hang is not None:
            return await self._hang(hang)
        odd, answer = self._first(Odd), self._first(AnswerInstead)
        if answer is not None:
            return await self._answer(answer)
        if odd is not None and self._visit.route == "check" and reply.status == _OK:
            reply = odd_body(reply, odd.body)
        return await self._leave(reply)

    def replaced(self, name: str) -> str:
        """The name of the web's file that is served."""
        replace = self._first(Replace)
        return name if replace is None else replace.by

    async def _answer(self, answer: AnswerInstead) -> web.StreamResponse:
        reply = bodies.shaped(answer.status, answer.body, answer.code)
        return await self._leave(reply._replace(headers=answer.headers))

    async def _leave(self, reply: HttpReply) -> web.StreamResponse:
        self._visit.close(reply.status)
        drip = self._first(Drip)
        if self._first(Tear) is not None:
            return await malformed.torn(self._request, reply)
        if drip is not None:
            return await malformed.dripping(self._request, reply, drip)
        return malformed.complete(self._request, reply)

    def _first(self, kind: type[_Kind]) -> _Kind | None:
        return next((action for action in self._visit.actions if isinstance(action, kind)), None)

    def _reset(self) -> web.Response:
        self._visit.close("reset")
        return malformed.reset(self._request)

    async def _hang(self, hang: Hang) -> web.Response:
        self._visit.close("hang")
        await self._pause(hang.seconds)
        return malformed.reset(self._request)

    async def _pause(self, seconds: float) -> None:
        """Wait; the end of the emulator ends it early."""
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return
