"""Units and crontab lines read as systemd and cron read them, written from their manuals."""

from __future__ import annotations

import re

_CODES = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "s": 32}


def systemd_words(text: str, *, codes: bool = True) -> list[bytes]:
    """Words of a line: quotes and backslashes taken away, then `%%`.

    `codes` is for values that know `\\x1b` and such; lists of paths know none.
    """
    words: list[bytes] = []
    data, at, quote = text.encode(), 0, b""
    word: bytearray | None = None
    while at < len(data):
        char = data[at : at + 1]
        if char == b"\\":
            taken, value = _escape(data[at + 1 :], codes=codes)
            word = (word or bytearray()) + value
            at += taken
        elif quote and char == quote:
            quote = b""
        elif not quote and char in b"\"'":
            word, quote = word or bytearray(), char
        elif not quote and char in b" \t\n\r":
            words += [bytes(word)] if word is not None else []
            word = None
        else:
            word = (word or bytearray()) + char
        at += 1
    assert not quote
    return [
        each.replace(b"%%", b"%") for each in words + ([bytes(word)] if word is not None else [])
    ]


def _escape(rest: bytes, *, codes: bool) -> tuple[int, bytes]:
    if codes and (found := re.match(rb"x([0-9a-f]{2})", rest)):
        return 3, bytes([int(found[1], 16)])
    code = _CODES.get(rest[:1].decode("latin-1")) if codes else None
    return 1, rest[:1] if code is None else bytes([code])


def systemd_command(text: str) -> list[bytes]:
    """The words of `ExecStart=`: `$$` is `$` but in the program, and no `$` may stand alone."""
    program, *rest = systemd_words(text)
    for word in rest:
        assert b"$" not in word.replace(b"$$", b"")
    return [program, *(word.replace(b"$$", b"$") for word in rest)]


def cron_command(line: str, *, doubled: bool = False) -> str:
    r"""What cron hands to sh: `\%` is `%`, and to some crons (`doubled`) `\\` is `\`."""
    rest = line.split(" ", 5)[5]
    taken = "%\\" if doubled else "%"
    text, at = "", 0
    while at < len(rest):
        char, following = rest[at], rest[at + 1 : at + 2]
        assert char != "%", "cron would end the command here"
        if char == "\\" and following and following in taken:
            text, at = text + following, at + 2
        elif char == "\\":
            text, at = text + char + following, at + 2
        else:
            text, at = text + char, at + 1
    return text
