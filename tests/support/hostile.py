"""Names that break what does not escape them."""

from __future__ import annotations

NAMES = [
    b"line\nfeed\r.png",
    b"\x1b[2J\x1b]0;title\x07.png",
    b"c1 \xc2\x9b2J.png",
    b"bidi \xe2\x80\xaegnp.png",
    b"lines \xe2\x80\xa8{}\xc2\x85.png",
    b"not utf-8 \xff\xc3.png",
    b"half \xed\xa0\xbd a pair.png",
    b"-rf.png",
    b"--api-key=x.png",
    b"=cmd|' C calc'!A0.png",
    b"@SUM(1+1).png",
    b'"; filename="other.exe.png',
    b"<script>alert(1)<script>.png",
    b"%s %n {0} {__class__}.png",
    b"$(touch x) `id`.png",
    b"a" * 251 + b".png",
]
