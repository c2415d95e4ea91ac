from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchscan.copyleaks.response_heads import ResponseHeads, readable

ANSWERS = [
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\nContent-Length: 2, 2\nbad\n\n{}",
    b"\r\nHTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
]


def fed(data: bytes, cuts: list[int]) -> bytes:
    heads = ResponseHeads()
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return b"".join(b"".join(heads.feed(data[a:b])) for a, b in pairwise(places))


@pytest.mark.parametrize("answer", ANSWERS)
@settings(max_examples=20)
@given(cuts=st.lists(st.integers(0, 10_000), max_size=9), extra=st.binary(max_size=60))
def test_the_same_is_parsed_wherever_reads_are_cut(answer, cuts, extra):
    assert fed(answer + extra, cuts) == fed(answer + extra, [])


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=5))
def test_what_does_not_begin_as_http_is_the_parsers_at_once(data, cuts):
    assert fed(b"SSH-2.0-" + data, cuts) == b"SSH-2.0-" + data


@given(st.binary(max_size=200))
def test_a_head_that_can_be_read_stays_as_it_is(data):
    head = readable(b"HTTP/1.1 200 OK\r\n" + data)
    assert readable(head.removesuffix(b"\r\n\r\n")) == head
