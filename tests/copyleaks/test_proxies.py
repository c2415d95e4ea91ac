from __future__ import annotations

import pytest

from batchscan.copyleaks.proxies import is_loopback, proxies_of_environment

API = "https://api.copyleaks.com/v1"


@pytest.fixture
def environment(monkeypatch):
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


def test_proxies_come_from_the_environment_but_never_for_this_machine(environment):
    environment.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    environment.setenv("NO_PROXY", "inside.example.com")
    proxy_for = proxies_of_environment()

    assert proxy_for(API) == "http://proxy.example.com:3128"
    assert proxy_for("https://inside.example.com/") is None
    for host in ("127.0.0.1:8080", "localhost", "[::1]"):
        assert proxy_for(f"https://{host}/") is None


def test_a_proxy_may_be_named_in_lower_case_and_without_a_scheme(environment):
    environment.setenv("https_proxy", "proxy.example.com:3128")

    assert proxies_of_environment()(API) == "http://proxy.example.com:3128"


def test_without_a_proxy_there_is_none(environment):
    assert proxies_of_environment()(API) is None


@pytest.mark.parametrize(
    ("host", "expected"), [("127.9.9.9", True), ("::1", True), ("10.0.0.1", False), ("a.b", False)]
)
def test_loopback_is_known_by_its_name_alone(host, expected):
    assert is_loopback(host) is expected
