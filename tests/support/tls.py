"""A certificate authority of a test's own, and sites on loopback that show its certificates."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.content_credentials import key_usage
from tests.support.servers import head_of

_PEM = serialization.Encoding.PEM


@dataclass
class Authority:
    """Signs certificates; `path` is the file that a client has to trust."""

    folder: Path
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def __post_init__(self) -> None:
        self.path = self.folder / "ca.pem"
        itself = self._certificate("Test CA", self.key, timedelta(days=9), is_authority=True)
        self.path.write_bytes(itself)

    def context(self, *names: str, valid_for: timedelta = timedelta(days=9)) -> ssl.SSLContext:
        """A server's side with a certificate for some names or addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        secret = key.private_bytes(
            _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        stem = self.folder / f"{len(list(self.folder.iterdir()))}.pem"
        stem.write_bytes(secret + self._certificate(names[0], key, valid_for, *names))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(stem)
        return context

    def _certificate(
        self,
        subject: str,
        key: ec.EllipticCurvePrivateKey,
        valid_for: timedelta,
        *names: str,
        is_authority: bool = False,
    ) -> bytes:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_named(subject))
            .issuer_name(_named("Test CA"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=30))
            .not_valid_after(now + valid_for)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        # Python 3.13 wants to find whose key has signed.
        ours, signers = key.public_key(), self.key.public_key()
        builder = builder.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(ours), critical=False
        ).add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signers), critical=False)
        if is_authority:
            builder = builder.add_extension(key_usage(signs_certificates=True), critical=True)
        if names:
            alternative = x509.SubjectAlternativeName([_general(name) for name in names])
            builder = builder.add_extension(alternative, critical=False)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(_PEM)


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general(name: str) -> x509.GeneralName:
    if name[0].isdigit():
        return x509.IPAddress(ipaddress.ip_address(name))
    return x509.DNSName(name)


@dataclass
class TlsSite:
    """A site over TLS, and what it was asked."""

    port: int = 0
    heads: list[str] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)  # that clients said before (SNI)

    def rule(self, host: str) -> str:
        """By which a client gets here for a host."""
        return f"{host}:443:127.0.0.1:{self.port}"


@asynccontextmanager
async def tls_site(
    context: ssl.SSLContext, answer: Callable[[str], bytes]
) -> AsyncIterator[TlsSite]:
    """Serve what `answer` gives for a path."""
    found = TlsSite()

    def named(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> None:
        found.names.append(name)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await head_of(reader)).decode("latin-1")
        found.heads.append(head)
        writer.write(answer(head.split(" ")[1]))
        await writer.drain()
        writer.close()

    context.sni_callback = named
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        yield found
