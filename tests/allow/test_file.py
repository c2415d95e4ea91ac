from __future__ import annotations

import os
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchscan.allow import Rule, add_rule, load_rules, read_rules
from batchscan.allow.parse import PARSERS, format_rule, parse_rule
from batchscan.errors import StorageError, UsageError
from batchscan.path_patterns import PathPattern
from batchscan.settings import Scan, Settings
from batchscan.url_patterns import UrlPattern

SHA256 = "ab" * 32
EXAMPLE = f"""\
# Ours.
- domain: Example.com
  reason: our own site
  by: Ann   # she said so
- url: https://example.net/press/*
  images: 'stock/'
  sha256: {SHA256.upper()}
  reason: 2024
  until: 2027-03-01
- {{images: "*.png", reason: yes, until: "2027-03-01"}}
"""
NEW = Rule("licensed", UrlPattern.of("example.org"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "allow.yaml"


def read(file: Path, text: str | bytes) -> tuple[Rule, ...]:
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_rules(file, named=True).rules


def test_a_file_of_rules_is_read_in_its_order_with_its_lines(file):
    day = date(2027, 3, 1)

    assert read(file, EXAMPLE) == (
        Rule("our own site", UrlPattern.of("example.com"), by="Ann"),
        Rule(
            "2024",
            UrlPattern.of("https://example.net/press/*"),
            PathPattern.of("stock/"),
            SHA256,
            None,
            day,
        ),
        Rule("yes", images=PathPattern.of("*.png"), until=day),
    )
    assert [rule.line for rule in read(file, EXAMPLE)] == [2, 5, 10]


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "[]", "\ufeff# nothing\r\n"])
def test_a_file_without_rules_has_none(file, text):
    assert read(file, text) == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("domain: a.com\n", "line 1: a list of rules is expected, each as in `- domain: "),
        ("- a.com\n", "line 1: a rule: names with values are expected"),
        ("- []\n", "line 1: a rule: names with values are expected"),
        ("-\n", "line 1: the rule: the rule does not say what is allowed"),
        ("- reason: x\n", "line 1: the rule: the rule does not say what is allowed"),
        ("\n- domain: a.com\n", "line 2: the rule: a reason is missing"),
        ("- domain: a.com\n  reason: ' '\n", "line 2: reason: it is empty"),
        ("- domain: a.com\n  reason:\n", "line 2: reason: the value is missing; write one"),
        ("- domain: a.com\n  reason: [x]\n", "line 2: reason: one value is expected"),
        ("- domain: a.com\n  url: b.com/\n  reason: x", "line 1: the rule: only one of domain and"),
        ("- domain: a.com/x\n", "line 1: domain: 'a.com/x' is a URL, not a domain"),
        ("- url: a.com\n", "line 1: url: 'a.com' is a domain, not a URL"),
        ("- domain: a b\n", "line 1: domain: 'a b' is neither a domain nor a URL"),
        ("- domian: a.com\n", r"line 1: unknown key 'domian'; did you mean domain\? Known here: "),
        ("- zzz: a.com\n", "line 1: unknown key 'zzz'. Known here: domain, url, images, sha256, "),
        ("- domain: a.com\n  domain: b.com\n", "line 2: a rule: 'domain' is given twice"),
        ("- domain: *.com\n", r"line 1: aliases .* put text that begins with \* in quotes"),
        ("- images: *a\n", r"line 1: aliases .* put text that begins with \* in quotes"),
        ("- &a {}\n- *a\n", r"line 2: aliases \(\*name\) are not supported"),
        ("- domain: !x a.com\n", "line 1: domain: tags are not supported, and '!x' is one"),
        ("- !!python/object:os.x {}\n", "line 1: a rule: tags are not supported"),
        ("!!set {a}\n", "line 1: a list of rules is expected"),
        ("!x []\n", "line 1: the list: tags are not supported"),
        ("- images: '!x'\n", "line 1: images: pattern '!x': it only excludes"),
        (
            "- images: '[[:a:]]'\n",
            r"line 1: images: pattern '\[\[:a:\]\]' is not a valid gitignore pattern",
        ),
        ("- sha256: 12\n", "line 1: sha256: found '12'; allowed: 64 hexadecimal digits"),
        ("- until: 2027-02-30\n", "line 1: until: no such day: '2027-02-30'"),
        ("- until: 20270301\n", "line 1: until: found '20270301'; allowed: a day, such as 2027-"),
        ("- until: 2027-03-01T00:00:00\n", "line 1: until: found "),
        ("- domain: a.com\n\treason: x\n", "line 2: .*; indent with spaces, not tabs"),
        (b"- domain: a.com\n  reason: \xff\n", "line 2: not UTF-8"),
        ("#" * 1_000_001, ": the allow file is too large"),
    ],
)
def test_a_mistake_names_the_file_and_the_line(file, text, message):
    with pytest.raises(UsageError, match=message) as caught:
        read(file, text)
    assert str(caught.value).startswith(str(file))


def test_a_file_that_nobody_named_need_not_be_there_and_one_that_was_named_must(file, tmp_path):
    config = str(tmp_path / "config.yaml")
    named = Settings(scan=Scan(allow=str(file)))

    assert load_rules(Settings(), config).rules == ()
    with pytest.raises(UsageError, match=r"allow\.yaml: cannot be read: No such file"):
        load_rules(named, config)
    file.write_text(EXAMPLE)
    assert len(load_rules(Settings(), config).rules) == 3
    assert len(load_rules(named, None).rules) == 3


def test_a_file_that_is_there_and_cannot_be_read_is_never_taken_for_none(file):
    file.mkdir()
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        read_rules(file, named=False)
    file.rmdir()
    file.symlink_to(file)
    with pytest.raises(UsageError, match="cannot be read: Too many levels of symbolic links"):
        read_rules(file, named=False)


@pytest.mark.parametrize(
    "old",
    [
        "",
        "# nothing yet",
        "---\n# nothing yet\n",
        EXAMPLE,
        EXAMPLE.rstrip("\n"),
        EXAMPLE.replace("\n", "\r\n"),
        EXAMPLE.replace("\n", "\r\n").rstrip("\r\n"),
        "\ufeff" + EXAMPLE,
        "".join(f"    {line}\n" for line in EXAMPLE.splitlines()) + "\n\n# the end",
        "- domain: a.com\n  reason: |+\n    two\n    lines\n\n",
        "- domain: a.com\n  reason: >\n    two\n    lines",
        "-   reason: x\n    domain: a.com\n",
    ],
)
def test_a_rule_is_added_at_the_end_and_what_was_there_stays_byte_for_byte(file, old):
    before = read(file, old)
    rules = add_rule(file, NEW).rules

    assert rules == (*before, NEW)
    text = file.read_bytes().decode()
    assert text.startswith(old)
    added = text.removeprefix(old)
    assert added.endswith("\r\n" if "\r\n" in old else "\n")
    assert added.count("\r") == (added.count("\n") if "\r\n" in old else 0)


@pytest.mark.parametrize(
    "old", ["[]", "[{domain: a.com, reason: x}]\n", "null\n", "- domain: a.com\n  reason: x\n...\n"]
)
def test_where_nothing_can_be_added_nothing_is_changed_and_the_way_is_said(file, old):
    read(file, old)
    with pytest.raises(UsageError, match="no rule can be added at its end") as caught:
        add_rule(file, NEW)

    assert '{domain: "example.org", reason: "licensed"}' in (caught.value.advice or "")
    assert file.read_text() == old
    assert os.listdir(file.parent) == [file.name]


def test_to_a_file_with_a_mistake_nothing_is_added(file):
    file.write_text("- domain: a.com\n")
    with pytest.raises(UsageError, match="line 1: the rule: a reason is missing"):
        add_rule(file, NEW)
    assert file.read_text() == "- domain: a.com\n"


def test_a_new_file_and_its_folders_are_private_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        add_rule(tmp_path / "a" / "b" / "allow.yaml", NEW)
    finally:
        os.umask(before)

    assert {
        str(path.relative_to(tmp_path)): stat.S_IMODE(path.stat().st_mode)
        for path in tmp_path.rglob("*")
    } == {"a": 0o700, "a/b": 0o700, "a/b/allow.yaml": 0o600}


def test_a_file_that_was_there_keeps_its_mode_and_a_link_leads_where_it_did(tmp_path, file):
    target = tmp_path / "dotfiles.yaml"
    target.write_text(EXAMPLE)
    target.chmod(0o644)
    file.symlink_to(target)
    add_rule(file, NEW)

    assert file.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert len(read_rules(target, named=True).rules) == 4


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser writes files of others")
def test_a_file_of_somebody_else_stays_theirs(file):
    file.write_text(EXAMPLE)
    os.chown(file, 54321, 54321)
    add_rule(file, NEW)

    assert (file.stat().st_uid, file.stat().st_gid) == (54321, 54321)


def test_no_device_is_replaced_by_a_file(file):
    os.mkfifo(file)
    with pytest.raises(UsageError, match="not a file that rules can be added to"):
        add_rule(file, NEW)
    assert stat.S_ISFIFO(file.stat().st_mode)


def test_a_place_that_cannot_be_written_is_named_with_advice(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"cannot write '.*allow\.yaml'") as caught:
        add_rule(tmp_path / "file" / "allow.yaml", NEW)
    assert "--allow" in (caught.value.advice or "")


def test_rules_that_are_added_at_the_same_time_are_all_there(file):
    code = (
        "import sys; from pathlib import Path; from batchscan.allow import add_rule;"
        "from batchscan.allow.rules import Rule; from batchscan.url_patterns import UrlPattern;"
        "[add_rule(Path(sys.argv[1]), Rule(str(n), UrlPattern.of('a.com'))) for n in range(10)]"
    )
    command = [sys.executable, "-c", code, str(file)]
    processes = [subprocess.Popen(command) for _ in range(2)]

    assert [process.wait(30) for process in processes] == [0, 0]
    reasons = sorted(rule.reason for rule in read_rules(file, named=True).rules)
    assert reasons == sorted(str(n) for n in range(10) for _ in range(2))


ANY_TEXT = st.text(st.characters(), max_size=40) | st.sampled_from(
    ["~", "null", "- x", "a: b #c", '"', "\\", "\n\n", "\r\n", "\x85\u2028", "\U0001f469\u200d\U0001f467", "\u202ex", "\ufeff", "\udcff"]
)  # fmt: skip
WORDS = ANY_TEXT.filter(str.strip)


@st.composite
def made_rules(draw: st.DrawFn) -> Rule:
    """Any rule that the command line can make."""
    texts = {"reason": draw(WORDS)}
    kind = draw(st.sampled_from(["domain", "url", "images", "sha256"]))
    texts[kind] = draw(
        {
            "domain": st.sampled_from(["example.com", "bücher.example", "10.0.0.1", "no", "1"]),
            "url": ANY_TEXT.map("https://example.com/{}".format),
            "images": ANY_TEXT.filter(_is_glob),
            "sha256": st.just("0" * 64),
        }[kind]
    )
    for key, values in {"by": WORDS, "until": st.dates().map(str)}.items():
        if draw(st.booleans()):
            texts[key] = draw(values)
    return parse_rule({key: PARSERS[key](text) for key, text in texts.items()})


def _is_glob(text: str) -> bool:
    try:
        PathPattern.of(text)
    except UsageError:
        return False
    return True


@settings(max_examples=50)
@given(st.lists(made_rules(), max_size=3), made_rules(), st.sampled_from(["\n", "\r\n"]))
def test_whatever_a_rule_holds_it_reads_back_and_the_others_stay(tmp_path_factory, old, new, end):
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    text = "".join(f"- {f'{end}  '.join(format_rule(rule))}{end}# so{end}" for rule in old)

    assert read(file, text) == tuple(old)
    assert add_rule(file, new).rules == (*old, new)
    assert file.read_bytes().startswith(text.encode())
