"""`--connect-to` means what it means to curl."""

import pytest

from batchscan.errors import UsageError
from batchscan.web_client import ConnectTo


@pytest.mark.parametrize(
    ("rule", "host", "port", "leads"),
    [
        ("a.example:80:127.0.0.1:8080", "a.example", 80, ("127.0.0.1", 8080)),
        ("a.example:80:127.0.0.1:8080", "A.EXAMPLE.", 80, ("127.0.0.1", 8080)),
        ("a.example:80:127.0.0.1:8080", "a.example", 443, None),
        ("a.example:80:127.0.0.1:8080", "b.a.example", 80, None),
        ("a.example::127.0.0.1:8080", "a.example", 443, ("127.0.0.1", 8080)),
        ("::127.0.0.1:8080", "any.example", 443, ("127.0.0.1", 8080)),
        ("a.example:80:127.0.0.1:", "a.example", 80, ("127.0.0.1", 80)),
        ("a.example:80::8080", "a.example", 80, ("a.example", 8080)),
        ("a.example:80:[::1]:8080", "a.example", 80, ("::1", 8080)),
        ("[::1]:80:[::1]:8080", "::1", 80, ("::1", 8080)),
        ("bücher.example:80:127.0.0.1:1", "xn--bcher-kva.example", 80, ("127.0.0.1", 1)),
    ],
)
def test_a_rule_gives_the_address_to_connect_to(rule, host, port, leads):
    assert ConnectTo.of([rule]).lookup(host, port) == leads


def test_the_first_rule_that_fits_holds():
    rules = ConnectTo.of(["a.example:80:127.0.0.1:1", "::127.0.0.1:2"])

    assert rules.lookup("a.example", 80) == ("127.0.0.1", 1)
    assert rules.lookup("b.example", 80) == ("127.0.0.1", 2)


@pytest.mark.parametrize(
    "text",
    ["", "a", "a:80", "a:80:b", "a:x:b:1", "a:0:b:1", "a:80:b:65536", "a:80:b:1:2", "::1:80:a:1"],
)
def test_an_invalid_rule_is_refused(text):
    with pytest.raises(UsageError, match="is not HOST:PORT:ADDRESS:PORT"):
        ConnectTo.of([text])
