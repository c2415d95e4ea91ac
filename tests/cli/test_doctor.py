from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from PIL import Image

from batchscan.cli import main
from batchscan.commands.service import tiny_png
from tests.support.account_server import Vendor, serving

KEY = "s3cr3t-key"


@pytest.fixture
def vendor():
    vendor = Vendor()
    with serving(vendor):
        yield vendor


@pytest.fixture
def ask(vendor, monkeypatch, tmp_path, capsys):
    """Run a command against the vendor; gives the exit code and what was printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("COPYLEAKS_API_URL", vendor.url)
    monkeypatch.setenv("COPYLEAKS_IDENTITY_URL", vendor.url)
    monkeypatch.setenv("COPYLEAKS_EMAIL", "ada@example.test")
    monkeypatch.setenv("COPYLEAKS_API_KEY", KEY)

    def asking(*words):
        code = main([*words, "--state", str(tmp_path / "state")])
        said = capsys.readouterr()
        assert KEY not in said.out + said.err
        assert "t0ken" not in said.out + said.err
        return code, said.out, said.err

    return asking


def test_credits_prints_the_balance_and_nothing_else(ask):
    assert ask("credits") == (0, "7\n", "")


def test_credits_without_an_account_says_what_is_missing(ask, monkeypatch):
    monkeypatch.delenv("COPYLEAKS_API_KEY")
    code, out, err = ask("credits")
    assert (code, out) == (2, "")
    assert "the API key is missing" in err


def test_a_refused_login_has_its_own_exit_code(ask, vendor):
    vendor.login_status = 401
    assert ask("credits")[0] == 4
    code, out, _ = ask("doctor")
    assert code == 4
    assert "problem  login: the login was refused" in out


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "http://me:pw5ecret@127.0.0.1:99999"])
def test_a_proxy_that_can_never_work_is_the_culprit_before_the_address_is(ask, monkeypatch, proxy):
    for name in ("COPYLEAKS_API_URL", "COPYLEAKS_IDENTITY_URL"):
        monkeypatch.setenv(name, "https://api.copyleaks.example")
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    code, _, err = ask("credits")
    assert code == 2
    assert "cannot be used: " in err
    assert "HTTPS_PROXY" in err
    assert "pw5ecret" not in err
    code, out, _ = ask("doctor")
    assert code == 2
    assert "problem  proxy: the proxy " in out
    assert "pw5ecret" not in out


def test_a_doctor_that_finds_nothing_exits_0_and_shows_where_settings_come_from(ask, vendor):
    code, out, err = ask("doctor")
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert ["api.url", vendor.url, "environment", "COPYLEAKS_API_URL"] in lines
    assert ["account.api_key", "(hidden)", "environment", "COPYLEAKS_API_KEY"] in lines
    assert ["pace.concurrency", "64", "default"] in lines
    assert "balance: 7 credits left" in out
    assert "clock: agrees with the service's" in out
    assert "problem" not in out
    assert not [path for path in vendor.asked if "check" in path]


@pytest.mark.usefixtures("ask")
def test_the_table_of_settings_fits_into_a_terminal_of_80_columns(vendor, tmp_path):
    terminal, inner = pty.openpty()
    termios.tcsetwinsize(inner, (24, 80))
    words = [sys.executable, "-P", "-m", "batchscan", "doctor", "--state", str(tmp_path / "s")]
    with subprocess.Popen(words, stdout=inner) as process:
        os.close(inner)
        printed = b"".join(blocks_of(terminal)).decode()
    assert process.returncode == 0

    lines = re.sub(r"\x1b\[\d*m", "", printed).splitlines()
    [*_, found] = (n for n, line in enumerate(lines) if line.split() == ["api.url", vendor.url])
    assert lines[found + 1].split() == ["environment", "COPYLEAKS_API_URL"]
    assert [line for line in lines if len(line) > 80 and "/" not in line] == []


def blocks_of(terminal: int) -> Iterator[bytes]:
    with suppress(OSError), open(terminal, "rb", buffering=0) as file:
        while block := file.read(4096):
            yield block


def test_a_second_check_reuses_the_login(ask, vendor):
    ask("doctor")
    ask("credits")
    assert len([path for path in vendor.asked if path.endswith("/login/api")]) == 1


def test_one_free_call_is_made_only_when_it_is_asked_for(ask, vendor):
    code, out, _ = ask("doctor", "--sandbox")
    assert code == 0
    assert "sandbox call: answered, mock matches: 0" in out
    assert len([path for path in vendor.asked if "/doctor-" in path]) == 1


@pytest.mark.parametrize(("off", "side"), [(-3600, "ahead of"), (7200, "behind")])
def test_a_clock_that_is_off_is_worth_a_warning(ask, vendor, off, side):
    vendor.time = time.time() + off
    code, out, _ = ask("doctor")
    assert code == 0
    assert f"s {side} the service's" in out
    assert "NTP" in out


def test_an_empty_account_is_worth_a_warning(ask, vendor):
    vendor.balance = 0
    code, out, _ = ask("doctor")
    assert code == 0
    assert "warning  balance: no credits left" in out


def test_an_answer_without_a_balance_is_a_problem(ask, vendor):
    vendor.balance = "plenty"
    code, out, _ = ask("doctor")
    assert code == 8
    assert "problem  balance: the API did not answer" in out


def test_an_unusable_key_is_a_finding_like_others_and_nothing_is_asked(ask, monkeypatch, vendor):
    monkeypatch.delenv("COPYLEAKS_API_KEY")
    monkeypatch.setenv("COPYLEAKS_API_KEY_FILE", "/nowhere/key")
    code, out, _ = ask("doctor")
    assert code == 2
    assert "problem  credentials: key file /nowhere/key: cannot be read" in out
    assert "ok       state folder" in out
    assert not vendor.asked


def test_the_tiny_picture_is_one():
    with Image.open(io.BytesIO(tiny_png())) as picture:
        picture.load()
        assert (picture.format, picture.size) == ("PNG", (64, 64))
