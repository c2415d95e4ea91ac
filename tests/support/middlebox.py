"""A service that speaks HTTP byte by byte and mixes its answers up."""

from __future__ import annotations

import asyncio
import json

from tests.support.servers import whole_request


def answer(body: object) -> bytes:
    data = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(data), data)


def check(scan_id: str) -> bytes:
    score = {"totalMatches": 0, "fullMatches": 0, "partialMatches": 0}
    image = {"scanId": scan_id, "actualCredits": 1, "expectedCredits": 1}
    return answer({"matches": {"internet": [], "score": score}, "scannedImage": image})


LOGIN = answer({"access_token": "the-token-of-the-account"})
BALANCE = answer({"Amount": 100})


class Middlebox:
    """Answers every picture, but over each connection in its own odd way.

    `shifted`: with the answer of the request before; `always`: about no picture of ours;
    `doubled`: each answer twice at once; `early`: once before anything is asked; `late`: with what
    was answered before, whatever that was; `logins` and `balances`: with those to every picture.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.asked: list[str] = []
        self.connections = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        before = last = None
        self.connections += 1
        if self.kind == "early" and self.connections % 3 == 0:
            writer.write(check("bs-other"))
        while True:
            head = (await whole_request(reader)).split(b" ")[1].decode()
            if "login" in head or "credits" in head:
                own = LOGIN if "login" in head else BALANCE
                writer.write(last or own)
            else:
                scan_id = head.split("/")[3]
                self.asked.append(scan_id)
                await asyncio.sleep(0.05)
                own = self.answer_to(scan_id, before)
                writer.write(last or own)
                before = scan_id
            last = own if self.kind == "late" else None

    def answer_to(self, scan_id: str, before: str | None) -> bytes:
        match self.kind:
            case "shifted":
                return check(before or scan_id)
            case "always":
                return check("bs-other")
            case "logins":
                return LOGIN
            case "balances":
                return BALANCE
            case "doubled":
                return check(scan_id) * 2
            case _:
                return check(scan_id)
