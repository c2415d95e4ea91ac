from __future__ import annotations

import pytest

from batchscan.errors import UsageError
from batchscan.settings import Settings


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "account:\n", "\ufeffpace: {}\n"])
def test_a_file_without_values_changes_nothing(from_file, text):
    assert from_file(text).settings.pace == Settings().pace


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pace:\n\trate: 3/s\n", r"config\.yaml line 2: .*; indent with spaces, not tabs"),
        ("pace: {rate: 10/s", r"line 1: expected ',' or '}'"),
        ("a: b\n---\nc: d", "line 2: "),
        ("- a\n", "line 1: the file: names with values are expected"),
        ("pace: 5\n", "line 1: pace: names with values are expected"),
        ("[a]: 5\n", "line 1: the file: a name is expected"),
        ("api:\n  attempts: 1\n  attempts: 2\n", "line 3: api: 'attempts' stands here twice"),
        ("pace: &p {}\nscan: *p\n", r"line 2: aliases \(\*name\) are not read here"),
        ("[[[[[[1]]]]]]", "line 1: it is nested too deeply"),
        ("pace:\n  rate:\n", "line 2: pace.rate: nothing is given; remove the line"),
        ("pace:\n  rate: {a: b}\n", "line 2: pace.rate: a value is expected"),
        ("pace:\n  rate: !x 1/s\n", "line 2: pace.rate: tags are not read here, and '!x' is one"),
        ("pace: {headroom: 0.9}", "pace.headroom: found '0.9'; allowed: a number from 0 to 0.5"),
        ("pace: {concurrency: lots}", "found 'lots'; allowed: a whole number from 1 to 5000"),
        ("pace: {headroom: some}", "found 'some'; allowed: a number from 0 to 0.5"),
        ("scan: {follow_symlinks: 1}", "found '1'; allowed: true or false"),
        ("scan: {fail_on: no}", "found 'no'; allowed: none, new, full or any"),
        ("scan: {min_age: 1:30}", "found '1:30'; allowed: a duration"),
        ("scan: {min_age: 30}", "found '30'; allowed: a duration"),
        ("scan: {max_bytes: 20M}", "found '20M'; allowed: a size"),
        ("scan: {exclude: [2024]}", "stands in quotes"),
        ("spend: {limit: 010}", "found '010'; allowed: a whole number"),
        ("spend: {limit: 0x10}", "found '0x10'; allowed: a whole number"),
        ("account: {email: 123}", "found '123'; allowed: an e-mail address .*quotes"),
        ("account: {email: a\x07b}", "not YAML"),
        ("takedown: {phone: 5550100}", "found '5550100'; allowed: one line of text.*quotes"),
        ("takedown: {name: ' '}", "it is empty"),
        ('takedown: {name: "a\\nb"}', "allowed: one line of text"),
        (f"takedown: {{name: {'x' * 301}}}", "allowed: one line of text, at most 300 characters"),
        ("takedown: {role: friend}", "found 'friend'; allowed: owner or agent"),
    ],
)
def test_a_mistake_names_the_file_the_line_and_what_is_allowed(from_file, config, text, message):
    with pytest.raises(UsageError, match=message) as caught:
        from_file(text)
    assert str(caught.value).startswith(str(config))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("paec: {}", r"unknown key 'paec'; did you mean pace\?"),
        ("pace:\n  ratee: 1/s", r"line 2: unknown key 'pace.ratee'; did you mean pace.rate\?"),
        ("rate: 1/s", r"unknown key 'rate'; did you mean pace.rate\?"),
        ("scan: {max-bytes: 1MB}", r"did you mean scan.max_bytes\?"),
        ("scan: {concurrency: 1}", r"did you mean pace.concurrency\?"),
        ("zzz: 1", "unknown key 'zzz'. Known here: account, api, scan, pace, spend, output"),
        ("pace: {zzz: 1}", r"'pace.zzz'. Known here: rate, concurrency, headroom"),
        ("output: {json: true}", "unknown key 'output.json'"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(from_file, text, message):
    with pytest.raises(UsageError, match=message):
        from_file(text)


def test_the_key_in_the_file_is_refused_with_advice_and_not_repeated(from_file):
    with pytest.raises(UsageError, match=r"account\.api_key: the key never stands here") as caught:
        from_file("account:\n  api_key: s3cr3t\n")
    assert "account.api_key_file" in (caught.value.advice or "")
    assert "s3cr3t" not in f"{caught.value} {caught.value.advice}"


def test_what_yaml_takes_for_numbers_and_truth_is_taken_so(from_file):
    text = "scan: {follow_symlinks: yes, max_bytes: 1000, max_pixels: 1_000}\npace: {headroom: 0.1, concurrency: 1_0}"
    with pytest.raises(UsageError, match="found '1_0'"):
        from_file(text)
    settings = from_file(text.replace("1_0}", "10}")).settings
    assert settings.scan.follow_symlinks
    assert (settings.scan.max_bytes, settings.scan.max_pixels) == (1000, 1000)
    assert settings.pace.headroom == 0.1


def test_null_unsets_what_is_optional(from_file):
    assert from_file("spend: {limit: null, max_credits: ~}").settings.spend == Settings().spend


def test_a_date_stays_text(from_file):
    assert from_file("scan: {include: [2024-01-01]}").settings.scan.include == ("2024-01-01",)


def test_a_file_that_is_not_utf_8_is_refused_with_the_line(from_file):
    with pytest.raises(UsageError, match="line 2: not UTF-8"):
        from_file(b"pace: {}\n# \xff\n")


def test_a_huge_file_is_refused(from_file):
    with pytest.raises(UsageError, match="larger than any settings file"):
        from_file("#" * 1_000_001)
