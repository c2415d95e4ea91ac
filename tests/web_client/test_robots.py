"""robots.txt as RFC 9309 has it."""

import time

import pytest

from batchscan.web_client.robots import Robots


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        ("", "/a", True),
        ("User-agent: *\nDisallow: /", "/a", False),
        ("User-agent: *\nDisallow:", "/a", True),
        ("User-agent: *\nDisallow: /private/", "/private", True),
        ("User-agent: *\nDisallow: /private/", "/private/a.jpg", False),
        ("User-agent: *\nDisallow: /\nAllow: /pictures/", "/pictures/a.jpg", True),
        ("User-agent: *\nAllow: /pictures/\nDisallow: /", "/pictures/a.jpg", True),
        ("User-agent: *\nDisallow: /a\nAllow: /a", "/a", True),  # of equals the kind one
        ("User-agent: *\nDisallow: /*.gif$", "/a.gif", False),
        ("User-agent: *\nDisallow: /*.gif$", "/a.gif?x", True),
        ("User-agent: *\nDisallow: /*/b/*/d", "/a/b/c/d", False),
        ("User-agent: *\nDisallow: /*/b/*/d", "/a/b/d", True),
        ("User-agent: *\nDisallow: /a$", "/a", False),
        ("User-agent: *\nDisallow: /a$", "/ab", True),
        ("User-agent: *\nDisallow: /?q=", "/?q=1", False),
        ("User-agent: *\nDisallow: /%7Euser", "/~user", False),
        ("User-agent: *\nDisallow: /bücher", "/b%c3%bccher", False),
        ("User-agent: batchscan\nDisallow: /\nUser-agent: *\nAllow: /", "/a", False),
        ("User-agent: *\nDisallow: /\nUser-agent: BatchScan/2\nAllow: /", "/a", True),
        ("User-agent: x\nUser-agent: batchscan\nDisallow: /", "/a", False),
        ("User-agent: x\nDisallow: /", "/a", True),
        ("User-agent: batchscan\nDisallow: /a\n\nUser-agent: batchscan\nDisallow: /b", "/b", False),
        ("Disallow: /", "/a", True),  # of no group
        ("\ufeffUser-agent: * # all\r\nDisallow: / # of it\r\n", "/a", False),
        ("User-agent: *\nSitemap: /x\nCrawl-delay: 9\nDisallow: /a", "/a", False),
        ("<html>not a robots.txt</html>", "/a", True),
        ("\x00\xff: \nUser-agent\n:\n*", "/a", True),
    ],
)
def test_what_a_file_allows(text, path, allowed):
    assert Robots.read(text).allows(path) is allowed


def test_patterns_made_to_be_slow_are_not():
    text = "User-agent: *\n" + "Disallow: /" + "*a" * 5_000 + "b$\n" * 1
    rules = Robots.read(text + ("Disallow: /" + "*a" * 60 + "b\n") * 1_000)

    began = time.process_time()
    assert rules.allows("/" + "a" * 8_000)
    assert time.process_time() - began < 1.0
