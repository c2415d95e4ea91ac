from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.copyleaks.error_table import NotJson, decode
from tests.support.servers import JSON


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (rb'{"name": "cut \ud83d"}', {"name": "cut \ufffd"}),
        (rb'["\uDE00\uD83D"]', ["\ufffd\ufffd"]),
        (rb'["\ud83d\ude00 and \ud83d"]', ["\U0001f600 and \ufffd"]),
        (rb'["\\ud83d \ud83d"]', ["\\ud83d \ufffd"]),
        (rb'["\\\ud83d\\\\ud83d\"\ud83d"]', ['\\\ufffd\\\\ud83d"\ufffd']),
        (rb'["\ud83d\ud83d\ude00\ude00"]', ["\ufffd\U0001f600\ufffd"]),
        (rb'["\u00e9\n\ud83d"]', ["\u00e9\n\ufffd"]),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"a": %s, "b": 1}' % (b"9" * 1_000_000), {"a": math.inf, "b": 1}),
    ],
)
def test_json_that_is_only_unusual_is_read(body, value):
    assert decode(body) == value


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_undecodable_bytes_are_not_json(body):
    with pytest.raises(NotJson):
        decode(body)


@given(st.binary(max_size=100) | st.text(alphabet='\\ud83de"[]{}:,1', max_size=40).map(str.encode))
def test_no_bytes_surprise(body):
    try:
        value = decode(body)
    except NotJson:
        return
    json.dumps(value, ensure_ascii=False).encode()  # whatever was read can be stored


@given(JSON)
def test_what_msgspec_reads_is_read_alike(value):
    try:
        body = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        return  # NaN, infinities
    assert json.dumps(decode(body)) == json.dumps(json.loads(body))
