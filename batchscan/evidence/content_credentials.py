"""Reading Content Credentials (C2PA) of our own pictures.

Nothing is downloaded: remote credentials, trust lists and revocations are ignored. So `valid` means
that the picture is unchanged since it was signed, not that its signer can be trusted.
"""

from __future__ import annotations

import io
import json
from typing import Final, Literal

import msgspec

from batchscan.images.signature import HEAD_BYTES, sniff
from batchscan.util.escaping import replace_surrogates

State = Literal["valid", "invalid", "absent", "elsewhere", "unreadable", "not_read"]

_OFFLINE: Final = {
    "verify": {
        "remote_manifest_fetch": False,
        "ocsp_fetch": False,
        "verify_trust": False,
        "verify_timestamp_trust": False,
    }
}
_MAX_WORDS: Final = 300  # characters


class CredentialsFields(msgspec.Struct, frozen=True, kw_only=True):
    """A picture's Content Credentials; `not_read` without a library that reads them."""

    state: State
    issuer: str | None = None  # of the signer's certificate: an organization, as it says itself
    signed_at: str | None = None  # as a timestamp in it says
    made_with: str | None = None  # the program that wrote them
    problems: list[str] = msgspec.field(default_factory=list)  # C2PA's codes, where invalid


NOT_READ: Final = CredentialsFields(state="not_read")


def read_credentials(data: bytes) -> CredentialsFields:
    """Read a picture's Content Credentials; blocking, and never raises for any content.

    c2pa-python reads them; without it they are not read.
    """
    try:
        import c2pa  # noqa: PLC0415 - an extra of 16 MB
    except ImportError:
        return NOT_READ
    kind = sniff(data[:HEAD_BYTES])
    if kind is None:
        return CredentialsFields(state="absent")
    try:
        context = c2pa.Context(c2pa.Settings.from_dict(_OFFLINE))
        reader = c2pa.Reader.try_create(kind.content_type, io.BytesIO(data), context=context)
        if reader is None:
            return CredentialsFields(state="absent")
        with reader:
            return _fields(json.loads(reader.json()), reader.get_validation_state())
    except c2pa.C2paError as error:
        return CredentialsFields(state=_state_of(str(error)))
    except (ValueError, TypeError, AttributeError, KeyError):  # another JSON than is documented
        return CredentialsFields(state="unreadable")


def describe(credentials: CredentialsFields) -> str | None:
    """A sentence about the credentials; None if there is nothing to say."""
    by = f", signed by {credentials.issuer}" if credentials.issuer else ""
    when = f" at {credentials.signed_at}" if credentials.signed_at else ""
    return {
        "valid": f"Content Credentials{by}{when}: the picture is as it was signed",
        "invalid": f"Content Credentials{by}{when}: not valid ({', '.join(credentials.problems)})",
        "absent": "No Content Credentials",
        "elsewhere": "Content Credentials are not in the file but elsewhere; they were not fetched",
        "unreadable": "Content Credentials that cannot be read",
    }.get(credentials.state)


def _state_of(message: str) -> State:
    """The state that an error means, by the beginning of the library's message."""
    kind = message.partition(":")[0]
    return {"Remote": "elsewhere", "NotSupported": "absent"}.get(kind, "unreadable")  # type: ignore[return-value]


def _fields(store: dict[str, object], state: str) -> CredentialsFields:
    manifests = store.get("manifests")
    active = manifests.get(store.get("active_manifest"), {}) if isinstance(manifests, dict) else {}
    signature = active.get("signature_info") or {}
    makers = active.get("claim_generator_info") or [{}]
    statuses = store.get("validation_status")
    problems = [status["code"] for status in statuses] if isinstance(statuses, list) else []
    return CredentialsFields(
        state="invalid" if state == "Invalid" else "valid",
        issuer=_words(signature.get("issuer")),
        signed_at=_words(signature.get("time")),
        made_with=_words(makers[0].get("name")),
        problems=[_words(code) or "" for code in dict.fromkeys(problems)],
    )


def _words(value: object) -> str | None:
    return replace_surrogates(value[:_MAX_WORDS]) if isinstance(value, str) and value else None
