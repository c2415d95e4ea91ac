from __future__ import annotations

import os
import stat

import pytest

from batchscan.errors import UsageError
from batchscan.settings import Account, Api, Output, Pace, Rate, Scan, Secret, Settings, Spend
from batchscan.settings.load import load, validate


def test_with_nothing_given_every_setting_is_its_default(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    loaded = load({}, {})
    assert loaded.settings == Settings(output=Output(directory=str(tmp_path / "batchscan-output")))
    assert set(loaded.origins.values()) == {"default"}
    assert loaded.file is None


def test_a_flag_wins_over_the_environment_and_that_over_the_file(from_file, config):
    text = "api:\n  url: https://file.test\n  identity_url: https://file.test\n  retry_for: 1m\n"
    environ = {"COPYLEAKS_API_URL": "https://env.test"}
    loaded = from_file(text, {"api.retry_for": "2m"}, environ)
    api = loaded.settings.api
    assert (api.url, api.identity_url, api.retry_for) == (
        "https://env.test",
        "https://file.test",
        120,
    )
    assert loaded.origins["api.url"] == "environment COPYLEAKS_API_URL"
    assert loaded.origins["api.identity_url"] == f"{config} line 3"
    assert loaded.origins["api.retry_for"] == "flag --retry-for"
    assert loaded.origins["api.attempts"] == "default"
    assert loaded.file == str(config)


def test_a_repeated_flag_replaces_the_whole_list_of_the_file(from_file):
    loaded = from_file("pace: {rate: [1/s, 2/m]}", {"pace.rate": ("900/15m", "10/s")})
    assert loaded.settings.pace.rate == (Rate(900, 900), Rate(10, 1))


def test_one_value_means_a_list_of_one(from_file):
    settings = from_file("pace: {rate: 5/s}\nscan: {exclude: drafts/}").settings
    assert settings.pace.rate == (Rate(5, 1),)
    assert settings.scan.exclude == ("drafts/",)


def test_an_empty_environment_variable_counts_as_none():
    loaded = load({}, {"COPYLEAKS_EMAIL": "", "COPYLEAKS_API_KEY": "", "COPYLEAKS_API_URL": ""})
    assert loaded.settings.account == Account()
    assert loaded.origins["api.url"] == "default"


def test_what_only_flags_give_is_taken_as_it_is():
    flags = {"roots": ("a", "b"), "dry_run": True, "force": True, "output.json": True}
    settings = load(flags, {}).settings
    assert settings.roots == ("a", "b")
    assert settings.dry_run
    assert settings.force
    assert settings.output.json
    assert not settings.rehash


def test_paths_of_the_file_start_at_its_folder_and_all_are_absolute(from_file, config, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    text = "output: {directory: out, state: ../state, log_file: ~/scan.log}"
    output = from_file(text).settings.output
    assert output.directory == os.path.join(os.getcwd(), "out")
    assert output.state == str(config.parent.parent / "state")
    assert output.log_file == "/home/ada/scan.log"


def test_paths_of_flags_start_at_the_working_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    output = load({"output.directory": "out", "output.state": "./s"}, {}).settings.output
    assert output.directory == str(tmp_path / "out")
    assert output.state == str(tmp_path / "s")


def test_a_tilde_without_a_home_is_refused():
    with pytest.raises(UsageError, match="no home folder is known for ~"):
        load({"output.state": "~nobody-of-this-name/x"}, {})


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            {"pace.concurrency": "0"},
            r"flag --concurrency: pace.concurrency: found '0'; allowed: .* number from 1 to 5000",
        ),
        ({"pace.concurrency": "5001"}, "found '5001'"),
        (
            {"pace.rate": ("0/s",)},
            r"flag --rate: pace.rate: found '\[0/s\]'; allowed: 1 to 8 rates",
        ),
        ({"pace.rate": ("1/s",) * 9}, "at most|1 to 8 rates"),
        ({"scan.check": "quick"}, "flag --check: scan.check: found 'quick'; allowed: full or fast"),
        ({"scan.fail_on": "old"}, "allowed: none, new, full, any or unchecked"),
        ({"spend.max_credits": "-1"}, "allowed: a whole number, at least 0"),
        ({"spend.max_credits": "1.5"}, "allowed: a whole number, at least 0"),
        ({"scan.rescan_after": "30"}, "found '30'.*numbers with units"),
        ({"scan.min_age": "9999d"}, "from 0s to 366d"),
        ({"scan.include": ("",)}, "an empty pattern matches nothing"),
        ({"output.state": ""}, "allowed: a path"),
        ({"output.progress": "x\x1b[2J\u202e"}, r"found 'x\\x1b\[2J\\u202e'"),
        ({"output.progress": "x" * 500}, r"found 'x{79}\.\.\.'"),
    ],
)
def test_a_wrong_flag_is_named_with_what_was_found_and_what_is_allowed(flags, message):
    with pytest.raises(UsageError, match=message) as caught:
        load(flags, {})
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.copyleaks.com",
        "http://localhost.evil.test",
        "http://128.0.0.1",
        "ftp://api.copyleaks.com",
        "api.copyleaks.com",
        "https://",
        "https://x.test/?a=b",
        "https://x.test/#",
        "https://x.test:0",
        "https://x.test:port",
        "https://x .test",
        "https://x.test\\@y.test",
        "https://[::1",
    ],
)
def test_an_address_that_the_key_must_not_be_sent_to_is_refused(url):
    with pytest.raises(UsageError, match=r"environment COPYLEAKS_API_URL: api\.url: found"):
        load({}, {"COPYLEAKS_API_URL": url})


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080",
        "http://localhost:1",
        "http://[::1]:99",
        "https://proxy.test/copyleaks",
    ],
)
def test_plain_http_is_fine_on_this_machine_and_https_anywhere(url):
    assert load({}, {"COPYLEAKS_API_URL": f"{url}/"}).settings.api.url == url


def test_a_login_in_an_address_is_refused_and_never_repeated():
    with pytest.raises(UsageError, match="user name or password") as caught:
        load({}, {"COPYLEAKS_API_URL": "https://ada:hunter2@x.test"})
    assert "hunter2" not in str(caught.value)


def test_a_working_folder_that_is_gone_is_a_usage_error(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(UsageError, match="working folder no longer exists"):
        load({}, {})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(pace=Pace(rate=())), r"pace.rate: found '\[\]'"),
        (Settings(pace=Pace(rate=((10, 1.0),))), "pace.rate"),  # type: ignore[arg-type]
        (Settings(pace=Pace(rate=[Rate(1, 1)])), "pace.rate"),  # type: ignore[arg-type]
        (Settings(pace=Pace(rate=(Rate(0, 1.0),))), "pace.rate"),
        (Settings(pace=Pace(rate=(Rate(1, 0.0),))), "pace.rate"),
        (Settings(pace=Pace(headroom=0.6)), "pace.headroom: found '0.6'; allowed: a number from"),
        (Settings(pace=Pace(headroom=float("nan"))), "pace.headroom"),
        (Settings(pace=Pace(concurrency=True)), "pace.concurrency"),
        (Settings(api=Api(read_timeout=0)), "api.read_timeout"),
        (Settings(api=Api(attempts=21)), "api.attempts: found '21'; allowed: .* from 1 to 20"),
        (Settings(api=Api(attempts=2.0)), "api.attempts"),  # type: ignore[arg-type]
        (Settings(api=Api(url="http://x.test")), "api.url"),
        (Settings(api=Api(url=7)), "api.url"),  # type: ignore[arg-type]
        (Settings(api=Api(sandbox=1)), "api.sandbox"),  # type: ignore[arg-type]
        (Settings(scan=Scan(max_bytes=0)), "scan.max_bytes: found '0'; allowed: a size"),
        (Settings(scan=Scan(include="*.jpg")), "scan.include"),  # type: ignore[arg-type]
        (Settings(scan=Scan(include=("a\nb",))), "scan.include"),
        (Settings(spend=Spend(max_duration=-1.0)), "spend.max_duration"),
        (Settings(output=Output(directory=None)), "output.directory"),  # type: ignore[arg-type]
        (Settings(account=Account(email="a b")), "account.email"),
        (Settings(account=Account(email="")), "it is empty"),
        (Settings(account=Account(api_key="k")), "a Secret is expected"),  # type: ignore[arg-type]
        (Settings(files_from="a", files0_from="b"), "only one of --files-from and --files0-from"),
    ],
)
def test_settings_of_a_program_are_held_to_the_same_rules(settings, message):
    with pytest.raises(UsageError, match=message):
        validate(settings)


def test_settings_of_a_program_that_are_right_pass():
    validate(Settings(account=Account("a@b.test", api_key=Secret("k")), spend=Spend(limit=3)))


def test_the_key_in_settings_shows_in_no_repr(tmp_path):
    key = tmp_path / "key"
    key.write_text("s3cr3t\n")
    key.chmod(stat.S_IRUSR)
    loaded = load({}, {"COPYLEAKS_API_KEY_FILE": str(key)})
    assert loaded.settings.account.api_key == Secret("s3cr3t")
    assert "s3cr3t" not in f"{loaded!r} {loaded.settings.account.api_key}"
