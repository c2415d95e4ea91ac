from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchscan.copyleaks.response_end import MAX_HEAD, ResponseEnd

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
WHOLE = {
    "length": OK + b"Content-Length: 5\r\n\r\n{\r\n\r\n",
    "nothing": OK + b"content-length:0\r\n\r\n",
    "said twice": OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}",
    "chunks": CHUNKED + b"2;x=y\r\n{}\r\n00c\r\n0\r\n\r\n0\r\n\r\nxx\r\n0\r\n\r\n",
    "trailers": CHUNKED + b"2\r\n{}\r\n0\r\nX: y\r\nZ: 0\r\n\r\n",
    "no content": b"HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n",
    "interim": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 X\r\nA: b\r\n\r\n"
    + OK
    + b"Content-Length: 2\r\n\r\n{}",
}
WITHOUT = {
    "until it is closed": OK + b"\r\n{}",
    "two lengths": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "no number": OK + b"Content-Length: two\r\n\r\n{}",
    "another coding": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "a bad chunk": CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    "a chunk that is too long": CHUNKED + b"2\r\n{}}\r\n0\r\n\r\n",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nContent-Length: 0\r\n\r\n",
    "no HTTP": b"SSH-2.0-x\r\n\r\n",
    "a head without end": OK + b"X" * MAX_HEAD,
}


def fed(data: bytes, cuts: list[int]) -> tuple[int, bool]:
    end = ResponseEnd()
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    total = sum(end.feed(data[a:b]) for a, b in pairwise(places))
    return total, end.reached


@pytest.mark.parametrize("kind", WHOLE)
@settings(max_examples=40)
@given(cuts=st.lists(st.integers(0, 10_000), max_size=9), extra=st.binary(max_size=60))
def test_the_end_is_found_wherever_reads_are_cut_and_whatever_follows(kind, cuts, extra):
    assert fed(WHOLE[kind] + extra, cuts) == (len(WHOLE[kind]), True)


@pytest.mark.parametrize("kind", WITHOUT)
@settings(max_examples=40)
@given(cuts=st.lists(st.integers(0, 10_000), max_size=9))
def test_where_there_is_no_end_every_byte_is_the_parsers(kind, cuts):
    data = WITHOUT[kind] + b"\r\n0\r\n\r\n"
    assert fed(data, cuts) == (len(data), False)


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=5))
def test_no_bytes_are_too_odd(data, cuts):
    assert fed(data, cuts)[0] <= len(data)
