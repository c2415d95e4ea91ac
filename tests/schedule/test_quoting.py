from __future__ import annotations

import os
import shlex

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batchscan.errors import UsageError
from batchscan.schedule.quoting import command_word, cron_word, unit_path, unit_rest, unit_word
from tests.support.schedule_reading import cron_command, systemd_command, systemd_words

# What a process's arguments may hold: any bytes but NUL; many of those that mean something.
ODD = st.sampled_from([*"\\\"'$%{};# =~@-!*?[]()&|<>`\n\t\x1b\x7f\u2028é漢", "\udcff", "\udc80"])
WORDS = st.lists(st.text(ODD | st.sampled_from("aHOME0x"), max_size=8), min_size=1, max_size=5)
PLAIN = ["/usr/bin/batchscan", "--rate=10/s", "--output=/srv/a,b:c@d+e_f"]


@given(WORDS)
@example(["$HOME", "${HOME}", "%h", "%%", ";", "\\;", "", "-", "\\x41", "\\\\"])
def test_any_words_come_out_of_a_unit_as_they_went_in(words):
    line = " ".join(["/bin/x", *map(command_word, words)])

    assert "\n" not in line
    assert systemd_command(line)[1:] == [os.fsencode(word) for word in words]


@given(WORDS)
def test_any_assignments_come_out_of_a_unit_as_they_went_in(words):
    line = " ".join(map(unit_word, words))

    assert systemd_words(line) == [os.fsencode(word) for word in words]


@given(WORDS)
def test_a_path_comes_out_of_a_list_as_it_went_in_or_is_refused(words):
    for word in words:
        try:
            text = unit_path(f"-/{word}")
        except UsageError:
            assert any(
                char < " " or char == "\x7f" or "\udc80" <= char <= "\udcff" for char in word
            )
        else:
            assert systemd_words(text, codes=False) == [os.fsencode(f"-/{word}")]


@pytest.mark.parametrize("doubled", [False, True], ids=["cronie", "vixie"])
@given(WORDS)
@example(["100%", "\\", "\\\\", "\\%", "%\\%", "\\\\%", "'\\'%'"])
def test_any_words_come_out_of_any_cron_and_sh_as_they_went_in_or_are_refused(doubled, words):
    try:
        line = " ".join(["15 2 * * *", *map(cron_word, words)])
    except UsageError:
        assert any(char < " " or char == "\x7f" for word in words for char in word)
    else:
        assert shlex.split(cron_command(line, doubled=doubled)) == words


@pytest.mark.parametrize("word", PLAIN)
def test_a_plain_word_stays_as_it_is(word):
    assert command_word(word) == unit_path(word) == cron_word(word) == word


@pytest.mark.parametrize("text", ["a\nb", " a", "a ", "a\\", "a\udcff"])
def test_a_line_that_knows_no_quotes_refuses_what_it_would_lose(text):
    with pytest.raises(UsageError, match="cannot be written in a systemd unit"):
        unit_rest(text)
    assert unit_rest("/etc/my key 100%") == "/etc/my key 100%%"
