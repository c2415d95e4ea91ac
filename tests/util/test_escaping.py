import base64
import os

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.util.escaping import (
    csv_cell,
    escape_json,
    path_fields,
    printable,
    replace_surrogates,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain name.jpg", "plain name.jpg"),
        ("größe 画像.jpg", "größe 画像.jpg"),
        ("\x1b[31mred\r\n", r"\x1b[31mred\r\n"),
        ("gpj.\u202eevil", r"gpj.\u202eevil"),
        ("\x9b2J", r"\x9b2J"),
        (os.fsdecode(b"latin\xe9"), r"latin\xe9"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_would_steer_a_terminal_is_shown_as_an_escape(text, shown):
    assert printable(text) == shown


@given(st.text(st.characters(codec=None)))
def test_everything_printable_gives_is_printable(text):
    assert printable(text).isprintable()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\tx", "\rx", "\n=x", "\uff1d1+1"])
def test_a_cell_that_begins_like_a_formula_is_text(text):
    assert csv_cell(text) == "'" + printable(text)


def test_other_cells_stay_as_they_are():
    assert csv_cell("a=b") == "a=b"
    assert csv_cell("größe 画像") == "größe 画像"
    assert csv_cell("") == ""


def test_a_cell_holds_nothing_that_steers_a_terminal_or_ends_its_row():
    assert csv_cell("a\x1b[2J\nb\u202e") == r"a\x1b[2J\nb\u202e"


@given(st.text(st.characters(codec="utf-8")))
def test_json_reads_the_same_when_it_is_safe_to_show(text):
    shown = escape_json(msgspec.json.encode({text: [text]}))

    assert shown.decode().isprintable()
    assert msgspec.json.decode(shown) == {text: [text]}


def test_indented_json_keeps_its_lines():
    assert escape_json('{\n  "a": "é\u2028"\n}\n'.encode()) == '{\n  "a": "é\\u2028"\n}\n'.encode()


@given(st.binary().filter(lambda raw: b"\0" not in raw))
def test_a_path_can_be_had_back_from_its_fields(raw):
    path, path_b64 = path_fields(raw)

    assert path_fields(os.fsdecode(raw)) == (path, path_b64)
    assert (base64.b64decode(path_b64) if path_b64 else path.encode()) == raw


def test_a_lossy_path_shows_where_it_lost_something():
    assert path_fields(b"/a/\xe9.png") == ("/a/\ufffd.png", "L2Ev6S5wbmc=")


@given(st.text(st.characters(codec=None)))
def test_scalars_can_always_be_written(text):
    assert len(replace_surrogates(text).encode().decode()) == len(text)
