"""Realms: one for each service address, however it is spelled, and one for its sandbox."""

from __future__ import annotations

import ipaddress
import sqlite3
from dataclasses import dataclass

_HERE = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Realm:
    """An API address, or its sandbox. Answers of different realms never mix."""

    api_url: str
    sandbox: bool


def address_of(url: str) -> str:
    """A service's normalized address (RFC 3986, section 6.2).

    Ignores case of scheme and host, default ports, dot segments, needless percent-encoding, IDN
    spelling and a trailing slash. All names of the loopback interface are one.
    """
    from yarl import URL  # noqa: PLC0415 - commands that open no ledger do without

    text = url.strip()
    try:
        parsed = URL(text)
        host = (parsed.raw_host or "").rstrip(".").lower()
        if parsed.scheme not in ("http", "https") or not host:
            return text.rstrip("/")
        port = None if parsed.is_default_port() else parsed.port
        host = _HERE if _is_here(host) else host
        path = parsed.raw_path.rstrip("/")
        return str(URL.build(scheme=parsed.scheme, host=host, port=port)).rstrip("/") + path
    except (ValueError, IndexError):
        return text.rstrip("/")


def _is_here(host: str) -> bool:
    """Whether a host is this machine: all of 127.0.0.0/8, also written as an IPv6 address."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)  # Python before 3.13 calls it no loopback
    return address.is_loopback or (mapped is not None and mapped.is_loopback)


def realm_id_of(connection: sqlite3.Connection, realm: Realm) -> tuple[int, str] | None:
    """The id of a realm, and the spelling of its address that was entered first.

    Scan ids are derived from the first spelling, so that the same work keeps its scan id.
    """
    return next(iter(_spellings(connection, realm)), None)


def all_ids_of(connection: sqlite3.Connection, realm: Realm) -> list[int]:
    """The ids of a realm under all spellings: pictures paid twice are under two of them."""
    return [number for number, _ in _spellings(connection, realm)]


def enter(connection: sqlite3.Connection, realm: Realm) -> None:
    """Enter a realm, or merge realms that differ only in the spelling of their address.

    A picture that was paid for under two spellings keeps the answer of the first one.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        same = _spellings(connection, realm)
        if not same:
            values = (address_of(realm.api_url), realm.sandbox)
            connection.execute("INSERT INTO realms (api_url, sandbox) VALUES (?, ?)", values)
        for other_id, spelling in same[1:]:
            _merge(connection, same[0][0], other_id)
            _rename(connection, spelling, address_of(realm.api_url))
        for _, spelling in same[:1]:
            _rename(connection, spelling, address_of(realm.api_url))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # after some errors SQLite has rolled back by itself
            connection.execute("ROLLBACK")
        raise


def similar_realm(connection: sqlite3.Connection, realm: Realm) -> str | None:
    """Another address on this realm's host that has answers, if this realm has none."""
    from yarl import URL  # noqa: PLC0415 - as above

    def has_answers(realm_id: int) -> bool:
        row = connection.execute(
            "SELECT EXISTS (SELECT 1 FROM pictures WHERE realm_id = ? AND answer_id IS NOT NULL)",
            (realm_id,),
        ).fetchone()
        return bool(row[0])

    own = realm_id_of(connection, realm)
    if own is not None and has_answers(own[0]):
        return None
    address = address_of(realm.api_url)
    rows = connection.execute("SELECT id, api_url FROM realms WHERE sandbox = ?", (realm.sandbox,))
    for realm_id, url in rows.fetchall():
        other_address = address_of(url)
        same_host = "://" in other_address and URL(other_address).host == URL(address).host
        if other_address != address and same_host and has_answers(realm_id):
            return str(url)
    return None


def _spellings(connection: sqlite3.Connection, realm: Realm) -> list[tuple[int, str]]:
    address = address_of(realm.api_url)
    rows = connection.execute(
        "SELECT id, api_url FROM realms WHERE sandbox = ? ORDER BY id", (realm.sandbox,)
    )
    return [(int(number), url) for number, url in rows if address_of(url) == address]


def _merge(connection: sqlite3.Connection, main: int, other: int) -> None:
    """Move all rows of `other` to `main`, except pictures with an answer in both.

    Of a picture in both, the one with an answer is kept. The block cache is built again.
    """
    ids = {"main": main, "other": other, "aside": -other}
    connection.execute(
        """UPDATE pictures SET realm_id = :aside WHERE realm_id = :main AND sha256 IN
        (SELECT o.sha256 FROM pictures o JOIN pictures m ON m.sha256 = o.sha256
            AND m.realm_id = :main WHERE o.realm_id = :other AND m.answer_id IS NULL
            AND o.answer_id IS NOT NULL)""",
        ids,
    )
    connection.execute(
        "UPDATE OR IGNORE pictures SET realm_id = :main WHERE realm_id = :other", ids
    )
    connection.execute("UPDATE pictures SET realm_id = :other WHERE realm_id = :aside", ids)
    connection.execute(
        """UPDATE files SET picture_id = (SELECT m.id FROM pictures m JOIN pictures o
        ON o.sha256 = m.sha256 WHERE o.id = files.picture_id AND m.realm_id = :main)
        WHERE realm_id IN (:main, :other) AND picture_id IN
        (SELECT id FROM pictures WHERE realm_id = :other)""",
        ids,
    )
    connection.execute("UPDATE OR IGNORE files SET realm_id = :main WHERE realm_id = :other", ids)
    connection.execute("DELETE FROM files WHERE realm_id = :other", ids)
    connection.execute("DELETE FROM seals WHERE realm_id IN (:main, :other)", ids)
    connection.execute("UPDATE runs SET realm_id = :main WHERE realm_id = :other", ids)
    connection.execute("UPDATE events SET realm_id = :main WHERE realm_id = :other", ids)
    connection.execute("UPDATE decisions SET realm_id = :main WHERE realm_id = :other", ids)


def _rename(connection: sqlite3.Connection, spelling: str, address: str) -> None:
    """Use one address in the tables of the rate limiter."""
    if spelling != address:
        values = (address, spelling)
        connection.execute("UPDATE sends SET api_url = ? WHERE api_url = ?", values)
        connection.execute("UPDATE OR IGNORE pace SET api_url = ? WHERE api_url = ?", values)
