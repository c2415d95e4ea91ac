from __future__ import annotations

import os
import subprocess
from contextlib import suppress

import pytest

from batchscan.errors import UsageError
from batchscan.settings import Settings
from batchscan.settings.published import Published
from batchscan.settings.settings_file import read_file
from batchscan.settings.sources import RawValue


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "account:\n", "\ufeffpace: {}\n"])
def test_a_file_without_values_changes_nothing(from_file, text):
    assert from_file(text).settings.pace == Settings().pace


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pace:\n\trate: 3/s\n", r"config\.yaml line 2: .*; indent with spaces, not tabs"),
        ("pace: {rate: 10/s", r"line 1: a group in \{ \} is not closed"),
        ("a: b\n---\nc: d", "line 2: "),
        ("- a\n", "line 1: the file: names with values are expected"),
        ("pace: 10/s\n", "line 1: pace: names with values are expected, as in .*; found '10/s'"),
        ("pace: [10/s]\n", "line 1: pace: names with values are expected, as in .*; found a list"),
        ("pace.rate: 10/s", "line 1: pace.rate: write it as `pace: {rate: ...}`"),
        (f"spend: {{limit: {10**30}}}", f"at least 0 .at most {10**18}"),
        ("[a]: 5\n", "line 1: the file: a name is expected"),
        ("api:\n  attempts: 1\n  attempts: 2\n", "line 3: api: 'attempts' is given twice"),
        ("pace: &p {}\nscan: *p\n", r"line 2: aliases \(\*name\) are not supported"),
        ("[[[[[[1]]]]]]", "line 1: it is nested too deeply"),
        ("pace:\n  rate:\n", "line 2: pace.rate: the value is missing; remove the line"),
        ("pace:\n  rate: {a: b}\n", "line 2: pace.rate: a value is expected"),
        (
            "takedown: {published: [{images: a/}]}",
            "(each has `images` and `url`, and nothing else)",
        ),
        ("takedown: {published: [a/]}", "(each has `images` and `url`, and nothing else)"),
        ("takedown: {published: a/}", "found 'a/'; allowed: a list such as"),
        ("takedown:\n  published: [{images: a/, url: b}]", "line 2: takedown.published: found"),
        ("takedown: {published: [{images: ./a, url: 'http://b'}]}", r"\. and \.\. do not occur"),
        ("takedown: {published: [{images: a, images: b}]}", "'images' is given twice"),
        ("pace:\n  rate: !x 1/s\n", "line 2: pace.rate: tags are not supported, and '!x' is one"),
        ("pace: {headroom: 0.9}", "pace.headroom: found '0.9'; allowed: a number from 0 to 0.5"),
        ("pace: {concurrency: lots}", "found 'lots'; allowed: a whole number from 1 to 5000"),
        ("pace: {headroom: some}", "found 'some'; allowed: a number from 0 to 0.5"),
        ("scan: {follow_symlinks: 1}", "found '1'; allowed: true or false"),
        ("scan: {fail_on: no}", "found 'no'; allowed: none, new, full, any or unchecked"),
        ("scan: {min_age: 1:30}", "found '1:30'; allowed: a duration"),
        ("scan: {min_age: 30}", "found '30'; allowed: a duration"),
        ("scan: {max_bytes: 20M}", "found '20M'; allowed: a size"),
        ("scan: {exclude: [2024]}", "in quotes"),
        ("spend: {limit: 010}", "found '010'; allowed: a whole number"),
        ("spend: {limit: 0x10}", "found '0x10'; allowed: a whole number"),
        ("account: {email: 123}", "found '123'; allowed: an e-mail address .*quotes"),
        ("account: {email: a\x07b}", "line 1: not YAML: it has the control character U\\+0007"),
        ("pace: {headroom: 2%}", r"found '2%'; allowed: a number from 0 to 0.5$"),
        ("scan: {exclude: [1, null]}", r"found '\[1, null\]'; allowed: a list of patterns"),
        ("scan:\n  include: 'a\n  check: full\n", "line 2: a quote is not closed"),
        ("scan:\n  exclude: [a,\n  include: [b]\n", "line 3: .*, or a bracket is not closed"),
        ("scan\n  check: full\n", "line 2: a colon is missing in the line above, or the inden"),
        ("scan:\n check: full\n  min_age: 5s\n", "line 3: .*, or the indentation does not fit it"),
        ("scan: {exclude: 'a'}\npace: a: b\n", "line 2: a value with a colon needs quotes"),
        ("scan: ]\n", "line 1: a value is missing, or a character is one too many"),
        ('scan: {exclude: "\\x"}', "line 1: a backslash in double quotes; use single quotes"),
        ("scan:\n  exclude: >gif\n", r"line 2: put a value that begins with \| or > in quotes"),
        ("scan:\n  exclude: & a\n", "line 2: put a value that begins with & or % in quotes"),
        ("takedown: {phone: 5550100}", "found '5550100'; allowed: one line of text.*quotes"),
        ("takedown: {name: ' '}", "it is empty"),
        ('takedown: {name: "a\\nb"}', "allowed: one line of text"),
        (f"takedown: {{name: {'x' * 301}}}", "allowed: one line of text, at most 300 characters"),
        ("takedown: {role: friend}", "found 'friend'; allowed: owner or agent"),
        ("alerts:\n  webhook: 5\n", "line 2: alerts.webhook: names with values are expected"),
        ("alerts:\n  webhook:\n    url: 5\n", "line 3: alerts.webhook.url: found"),
        ("alerts: {webhook: {url: a, url: b}}", "alerts.webhook: 'url' is given twice"),
        ("alerts:\n  webhook: {}\n  webhook: {}\n", "line 3: alerts: 'webhook' is given twice"),
        ("alerts: {webhook.url: 'https://a.example'}", "write it as `webhook: {url: ...}`"),
        ("alerts: {on_new: tell}", "found 'tell'; allowed: a list of words.*without a shell"),
        (
            "alerts: {on_new: [bin/tell]}",
            "allowed: a list of words.*its whole path, or by a name in PATH",
        ),
        ("alerts: {on_new: [tell, 5]}", "in quotes"),
        ("alerts: {on_new: ['']}", "its whole path"),
        ("alerts: {on_new: [[tell]]}", "allowed: a list of words"),
        ("alerts: {first_answer: never}", "found 'never'; allowed: tell or silent"),
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
        (
            "zzz: 1",
            "unknown key 'zzz'. Known here: account, api, scan, send, pace, engine, spend, output",
        ),
        ("pace: {zzz: 1}", r"'pace.zzz'. Known here: rate, concurrency, headroom"),
        ("output: {json: true}", "unknown key 'output.json'"),
        (
            "alerts:\n  webhook:\n    ulr: x",
            r"line 3: .*'alerts.webhook.ulr'; did you mean alerts.webhook.url\?",
        ),
        ("alerts: {webhok: {}}", r"'alerts.webhok'; did you mean alerts.webhook\?"),
        ("webhook: {url: x}", r"unknown key 'webhook'; did you mean alerts.webhook\?"),
        ("alerts: {secret_env: X}", r"did you mean alerts.webhook.secret_env\?"),
        (
            "alerts: {zzz: 1}",
            "Known here: webhook, on_new, ",
        ),
        ("alerts: {webhook: {zzz: 1}}", "'alerts.webhook.zzz'. Known here: url, secret_env"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(from_file, text, message):
    with pytest.raises(UsageError, match=message):
        from_file(text)


def test_the_key_in_the_file_is_refused_with_advice_and_not_repeated(from_file):
    with pytest.raises(
        UsageError, match=r"account\.api_key: the key itself must not be in this file"
    ) as caught:
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
    with pytest.raises(UsageError, match="the settings file is too large"):
        from_file("#" * 1_000_001)


def test_a_pipe_is_read_and_one_that_nobody_writes_into_is_refused(config):
    os.mkfifo(config)
    with pytest.raises(UsageError, match="cannot be read: nothing was written into this pipe"):
        read_file(str(config))

    command = ["sh", "-c", 'echo "pace: {concurrency: 5}" > "$0"', config]
    writer = subprocess.Popen(command)
    try:
        given: dict[str, RawValue] = {}
        while not given:  # until the writer has opened it
            if writer.poll() is not None:  # it wrote when the reader had just closed the pipe
                writer = subprocess.Popen(command)
            with suppress(UsageError):
                given = read_file(str(config))
    finally:
        writer.kill()
        writer.wait()
    assert given["pace.concurrency"].raw == 5


def test_settings_inside_a_group_of_a_group_are_read_with_their_lines(from_file, config):
    loaded = from_file(
        "alerts:\n  webhook:\n    url: https://hooks.example.com/T0/?key=1\n    secret_env: HOOK\n"
        "  on_new: [/bin/tell, '5']\n"
    )
    assert loaded.settings.alerts.webhook.url == "https://hooks.example.com/T0/?key=1"
    assert loaded.settings.alerts.webhook.secret_env == "HOOK"
    assert loaded.settings.alerts.on_new == ("/bin/tell", "5")
    assert loaded.origins["alerts.webhook.url"] == f"{config} line 3"
    assert loaded.origins["alerts.first_answer"] == "default"


@pytest.mark.parametrize("text", ["alerts: {webhook: }", "alerts:\n  webhook:\n    # url: x\n"])
def test_a_group_inside_a_group_may_be_empty(from_file, text):
    assert from_file(text).settings.alerts == Settings().alerts


@pytest.mark.parametrize(
    "text",
    [
        "alerts: {webhook: {url: 'http://hooks.example.com/s3cr3t'}}",
        "alerts: {webhook: {url: 'https://hooks.example.com/s3cr3t#x'}}",
        "alerts: {webhook: {url: hooks.example.com/s3cr3t}}",
        "alerts: {webhook: {url: 'https://me:s3cr3t@hooks.example.com'}}",
        "alerts: {webhook: {url: 'https://hooks.example.com\\s3cr3t'}}",
        "alerts: {webhook: {secret_env: s3cr3t}}",
        "alerts: {apprise_env: 'slack://s3cr3t'}",
    ],
)
def test_what_may_be_secret_is_not_repeated_when_it_is_wrong(from_file, text):
    with pytest.raises(UsageError, match="allowed: ") as caught:
        from_file(text)
    assert "s3cr3t" not in f"{caught.value} {caught.value.advice}"


def test_the_address_of_a_webhook_shows_in_no_repr(from_file):
    settings = from_file("alerts: {webhook: {url: 'https://hooks.example.com/s3cr3t'}}").settings
    assert "s3cr3t" not in f"{settings!r} {settings.alerts.webhook}"


def test_where_originals_are_published_is_a_list_of_patterns_with_addresses(from_file):
    text = "takedown:\n  published:\n  - images: lakes/\n    url: https://example.com/{name}\n"
    assert from_file(text).settings.takedown.published == (
        Published("lakes/", "https://example.com/{name}"),
    )
