"""Whatever comes from outside, what comes of it is one of our own words for it."""

from __future__ import annotations

import json
import struct
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from batchscan import Settings
from batchscan.copyleaks.error_table import failure
from batchscan.copyleaks.errors import CopyleaksError
from batchscan.copyleaks.responses import read_check
from batchscan.engines.vendor_mapping import parse_answer
from batchscan.enums import FailReason, MatchKind, RejectReason
from batchscan.errors import UsageError
from batchscan.images.judge import Judge
from batchscan.images.rules import Accepted, RejectedBytes, Rules
from batchscan.settings.catalog import entries
from batchscan.settings.load import load
from tests.support import pictures

SLOWLY = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
any_text = st.text(st.characters(codec=None), max_size=40)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | any_text
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=8,
)

# --- settings

KEYS = [entry.key.split(".") for entry in entries()]
near = st.sampled_from(
    ["", "10/s", "1/0s", "-1", "0", "1e9", "nan", "inf", "20MB", "9" * 30 + "d", "1.5h", "https://",
     "http://[::1", "/", "~", "~nobody/x", "\0", "\ud800", "none", "[]", "*", "!", "[", "\\", "\n"]
)  # fmt: skip


@st.composite
def documents(draw) -> dict[str, Any]:
    """Settings of known names and of other values."""
    found: dict[str, Any] = {}
    for *groups, name in draw(st.lists(st.sampled_from(KEYS), max_size=4)):
        place = found
        for group in groups:
            place = place.setdefault(group, {})
        place[name] = draw(near | scalars | st.lists(near, max_size=2))
    odd: dict[str, Any] = draw(st.dictionaries(any_text, values, max_size=1))
    return found | odd


def mistake_in(flags: dict[str, object], environ: dict[str, str]) -> str | None:
    """What is said of settings that do not load; any other exception is a failure."""
    try:
        loaded = load(flags, environ, credentials=False)
    except UsageError as error:
        return str(error)
    assert isinstance(loaded.settings, Settings)
    return None


def loads_or_is_a_mistake(path: Path, text: bytes) -> None:
    path.write_bytes(text)
    said = mistake_in({"config": str(path)}, {})
    assert said is None or (said.startswith(str(path)) and said.isprintable())


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("properties")
    return folder / "file"


@settings(max_examples=150, suppress_health_check=SLOWLY)
@given(documents())
def test_any_document_of_settings_loads_or_is_a_mistake_that_names_the_file(place, document):
    text = yaml.dump(document, allow_unicode=True, Dumper=yaml.SafeDumper)
    loads_or_is_a_mistake(place, text.encode("utf-8", "surrogatepass"))


yaml_pieces = st.lists(
    st.sampled_from(
        ["pace", "scan", "rate", "exclude", "email", ":", ": ", "- ", "\n", "\n  ", "{", "}", "[",
         "]", ",", "&a", "*a", "!!python/name:os.system", "!", "|", ">", "'", '"', "#", "%YAML 9.9",
         "---", "...", "?", "<<", "=", "\t", "\\x", '"\\Uffffffff"', "0x1", "1:30", "2024-01-01",
         "2024-13-45", "\u0085", "\ufeff", "\x00", "~", "1/s"]
    ),
    max_size=12,
).map("".join)  # fmt: skip


@settings(max_examples=250, suppress_health_check=SLOWLY)
@given(yaml_pieces.map(str.encode) | st.binary(max_size=60))
@example(b"[" * 5000)
@example(b"? " * 5000)
@example(b"- " * 5000)
@example(b'{"a": ' * 5000)
def test_any_text_of_settings_loads_or_is_a_mistake_that_names_the_file(place, text):
    loads_or_is_a_mistake(place, text)


@settings(max_examples=150)
@given(st.sampled_from([entry.env for entry in entries() if entry.env]), near | any_text)
def test_any_variable_and_any_flag_loads_or_is_a_mistake(name, value):
    flags = {entry.key: value for entry in entries() if entry.env == name}
    cases: tuple[tuple[dict[str, object], dict[str, str]], ...] = (({}, {name: value}), (flags, {}))
    for given_flags, environ in cases:
        said = mistake_in(given_flags, environ)
        assert said is None or said.isprintable()


# --- what the service answers

statuses = st.integers(100, 999).filter(lambda status: status != 200)
header_values = st.none() | st.text(max_size=30) | st.sampled_from(["-1", "1e9", "9" * 400, "Wed"])
shapes = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "message", "Message", "code", "id", "traceId", "title", "x"]),
            inner,
        )
    ),
    max_leaves=10,
)


@settings(max_examples=250)
@given(
    statuses,
    st.binary(max_size=200) | shapes.map(lambda shape: json.dumps(shape).encode()),
    header_values,
    st.booleans(),
)
@example(500, b"[" * 100_000, None, False)
@example(500, b'{"error":' * 100_000, None, True)
@example(400, b"\xff\xfe\x00<title>" + b"<" * 5000, None, False)
def test_any_error_body_is_one_of_our_errors_in_plain_words(status, body, wait, login):
    headers = {} if wait is None else {"Retry-After": wait}
    error = failure(status, headers, body, login=login, now=1e9, secrets=("s3cr3t",))

    assert isinstance(error, CopyleaksError)
    details = error.details
    words = (details.type, details.code, details.id, details.trace_id, details.message)
    assert all(word is None or word.isprintable() for word in (str(error), *words))
    assert len(str(error)) < 400
    pause = getattr(error, "retry_after", None)
    assert pause is None or pause >= 0


numbers = st.integers(-(2**70), 2**70) | st.floats() | st.booleans() | st.none() | st.just("1")
urls = st.none() | st.integers() | st.text(max_size=30) | st.sampled_from(["https://a.test/1", ""])
entries_of_internet = st.fixed_dictionaries(
    {}, optional={"url": urls, "matchType": numbers, "webPages": shapes}
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "matches": st.fixed_dictionaries(
            {},
            optional={
                "internet": st.lists(entries_of_internet | shapes, max_size=5) | shapes,
                "score": shapes
                | st.fixed_dictionaries(
                    {"totalMatches": numbers, "fullMatches": numbers, "partialMatches": numbers}
                ),
            },
        )
        | shapes,
        "scannedImage": shapes
        | st.fixed_dictionaries({"actualCredits": numbers, "expectedCredits": numbers}),
    },
)


STRONGEST_FIRST = [MatchKind.FULL, MatchKind.PARTIAL, MatchKind.OTHER]


def kind_of(value: object) -> MatchKind:
    whole = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    return {0: MatchKind.FULL, 1: MatchKind.PARTIAL}.get(whole, MatchKind.OTHER)  # type: ignore[arg-type]


@settings(max_examples=300)
@given(bodies | shapes)
@example({"matches": {"internet": []}})
@example({"matches": {"internet": [{"url": "0"}, {"url": "0", "matchType": 0}]}})
@example({"matches": {"internet": [{"url": "https://a.test", "matchType": 0}] * 3}})
def test_any_answer_has_the_matches_of_its_list_or_is_unreadable(body):
    listed = body.get("matches") if isinstance(body, dict) else None
    listed = listed.get("internet") if isinstance(listed, dict) else None
    raw = json.dumps(body).encode()
    answer = parse_answer(raw, 1.0)
    if not isinstance(listed, list):
        assert answer.trouble
        return
    found: dict[str, list[MatchKind]] = {}
    for entry in listed:
        if isinstance(entry, dict) and isinstance(entry.get("url"), str) and entry["url"].strip():
            found.setdefault(entry["url"], []).append(kind_of(entry.get("matchType")))
    assert {match.url for match in answer.matches} == set(found)
    assert len(answer.matches) == len(found)
    for match in answer.matches:  # of an address that is there twice, the strongest kind
        assert match.kind is min(found[match.url], key=STRONGEST_FIRST.index)
    assert len(listed) == len(found) or {"odd_match", "duplicate_match"} & set(answer.warnings)
    for number in (answer.credits, answer.expected_credits):
        assert number is None or 0 <= number < 2**53


@settings(max_examples=200)
@given(st.binary(max_size=100), st.integers(0, 200))
@example(b"\xef\xbb\xbf", 0)
@example(b"", 1)
def test_a_torn_or_foreign_answer_is_never_clean(junk, cut):
    whole = b'{"scannedImage":{"actualCredits":1},"matches":{"internet":[],"score":null}}'
    for body in (junk, whole[: min(cut, len(whole) - 1)], whole + b"}" + junk):
        assert read_check(body).trouble


# --- pictures

MAKERS = {
    "a.jpg": lambda: pictures.jpeg(24, 16),
    "p.jpg": lambda: pictures.jpeg(24, 16, progressive=True),
    "m.jpg": lambda: pictures.mpo(16, 16),
    "a.png": lambda: pictures.png(24, 16),
    "n.png": lambda: pictures.animated_png(16, 12),
    "a.gif": lambda: pictures.gif(24, 16),
    "n.gif": lambda: pictures.animated_gif(16, 12),
    "a.webp": lambda: pictures.webp(24, 16),
    "l.webp": lambda: pictures.webp(24, 16, lossless=True),
    "n.webp": lambda: pictures.animated_webp(16, 12),
    "a.bmp": lambda: pictures.bmp(24, 16),
    "a.ico": lambda: pictures.ico(16, 16),
    "b.ico": lambda: pictures.ico(16, 16, form="bmp"),
}


@cache
def real(name: str) -> bytes:
    return MAKERS[name]()


@pytest.fixture(scope="module")
def judges():
    made = [Judge(Rules(check="full")), Judge(Rules(check="fast"))]
    yield made
    for judge in made:
        judge.close()


def has_a_verdict(judges, data: bytes, name: str) -> None:
    for judge in judges:
        verdict = judge.judge(data, name)
        assert isinstance(verdict, Accepted | RejectedBytes)
        if isinstance(verdict, Accepted):
            assert verdict.width > 0
            assert verdict.height > 0
        else:
            assert isinstance(verdict.reason, RejectReason | FailReason)
            assert verdict.detail


@st.composite
def mutated(draw) -> tuple[str, bytes]:
    """A real picture after an accident: cut, bent, with a piece taken out or put in twice."""
    name = draw(st.sampled_from(sorted(MAKERS)))
    data = bytearray(real(name))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        match draw(st.sampled_from(["cut", "bend", "number", "drop", "twice", "insert"])):
            case "cut":
                del data[at:]
            case "bend":
                data[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case "number":
                big = draw(st.sampled_from([0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF]))
                order = draw(st.sampled_from("<>"))
                data[at : at + 4] = struct.pack(f"{order}I", big)
            case "drop":
                del data[at : at + draw(st.integers(1, 40))]
            case "twice":
                data[at:at] = data[at : at + draw(st.integers(1, 40))]
            case _:
                data[at:at] = draw(st.binary(min_size=1, max_size=8))
    return name, bytes(data)


@settings(max_examples=400, suppress_health_check=SLOWLY)
@given(mutated())
def test_any_picture_after_an_accident_gets_a_verdict(judges, picture):
    name, data = picture
    has_a_verdict(judges, data, name)


SIGNATURES = sorted(
    {real(name)[:16] for name in MAKERS}
    | {b"II*\0\x08\0\0\0", b"8BPS\0\x01", b"\0\0\0\x18ftypheic"}
)
extensions = st.sampled_from(["a.jpg", "a.png", "a.gif", "a.webp", "a.bmp", "a.ico", "a", "a.heic"])


@settings(max_examples=200, suppress_health_check=SLOWLY)
@given(st.sampled_from([b"", *SIGNATURES]), st.binary(max_size=300), extensions)
def test_any_bytes_under_any_name_get_a_verdict(judges, start, rest, name):
    has_a_verdict(judges, start + rest, name)


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_every_cut_of_a_picture_gets_a_verdict_and_the_whole_one_is_accepted(judges, name):
    data = real(name)
    for end in range(0, len(data), max(1, len(data) // 40)):
        has_a_verdict(judges, data[:end], name)
    for judge in judges:
        assert isinstance(judge.judge(data, name), Accepted)
