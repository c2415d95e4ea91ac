"""`case.html`: the content of a pack on one page, for readers who do not know batchscan."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import IO, Final, NamedTuple

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from batchscan.enums import CaptureKind, Disposition
from batchscan.evidence.case_contents import CaseContents
from batchscan.evidence.content_credentials import describe
from batchscan.evidence.manifest import Manifest
from batchscan.evidence.records import CaptureFields, PackedMatch, PictureFields, ResourceFields
from batchscan.report import html_assets
from batchscan.report.html_escaping import image_uri, link, sentence, visible
from batchscan.report.wording import amount, size
from batchscan.result_fields import RecheckFields
from batchscan.util.urls import normalize_url

CASE: Final = "case.html"

MAX_BYTES: Final = 32_000_000
"""The most bytes of all pictures on the page."""

MAX_MATCHES: Final = 200
"""The most matches of one picture that are shown."""

_MAX_PAGES: Final = 10
_MAX_DECISIONS: Final = 50
_INDENT: Final = re.compile(r"^[ \t]+", re.MULTILINE)
_PICTURES: Final = "{# pictures #}"
_CONTENTS: Final = "{# contents #}"
_PLACES: Final = re.compile(f"({re.escape(_PICTURES)}|{re.escape(_CONTENTS)})")
_BLOCK: Final = 65_536  # bytes


class CapturedPreview(NamedTuple):
    """Thumbnails of the last capture of a match's addresses, as JPEG files."""

    jpeg: bytes | None
    at: str
    shot: bytes | None = None  # of the page, as a browser showed it


class _ResourceView(NamedTuple):
    kind: str
    text: str


class _CaptureView(NamedTuple):
    at: str
    who: str
    stamped: str | None
    resources: tuple[_ResourceView, ...]
    name: str
    sha256: str


class _MatchView(NamedTuple):
    kind: str
    domain: str
    state: str | None
    url: str
    pages: list[str]
    more_pages: int
    first_seen: str | None
    last_seen: str | None
    disposition: str | None
    allowed: str | None
    decisions: list[dict[str, object]]
    notices: list[str]
    captures: tuple[_CaptureView, ...]
    theirs: Markup | None
    theirs_at: str | None
    shot: Markup | None
    recheck: str | None  # what its site answered last


class _CaseView(NamedTuple):
    name: str
    ours: Markup | None
    credentials: str | None
    matches: tuple[_MatchView, ...]
    more: int


class CasePage:
    """Collects pictures one by one, as many as the page has room for."""

    def __init__(self, articles: IO[bytes], contents: IO[bytes]) -> None:
        """Write articles and their list to open temporary files until the page is made."""
        self._articles = articles
        self._contents = CaseContents(contents)
        self._room = MAX_BYTES
        self._left_out = 0

    def add(
        self, picture: PictureFields, ours: bytes | None, theirs: Mapping[str, CapturedPreview]
    ) -> None:
        """Add a picture.

        Args:
            picture: what is recorded of it.
            ours: a small JPEG or WebP file of it.
            theirs: what was captured last, by the normalized address.
        """
        case = _case(picture, ours, theirs)
        article = _PICTURE.render(picture=picture, case=case, **{"from": picture.provenance})
        self._contents.count(picture)
        data = article.encode()
        if self._left_out or len(data) > self._room:
            self._left_out += 1
            return
        self._room -= len(data)
        self._contents.add(picture, case.name)
        self._articles.write(data)

    def blocks(self, manifest: Manifest) -> Iterator[bytes]:
        """The whole page."""
        style = _read("case.css")
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        page = (
            _environment()
            .get_template(CASE)
            .render(
                manifest=manifest,
                made_at=_moment(manifest.made_at),
                left_out=self._left_out,
                shown=self._contents.shown,
                matches=self._contents.sites.total(),
                sites=len(self._contents.sites),
                style=Markup(style),  # noqa: S704 - the text is ours
                policy=f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; "
                "base-uri 'none'; form-action 'none'",
                pictures=Markup(_PICTURES),  # noqa: S704 - the same
                contents=Markup(_CONTENTS),  # noqa: S704 - the same
            )
        )
        files = {_PICTURES: self._articles, _CONTENTS: self._contents.lines}
        for part in _PLACES.split(page):
            file = files.pop(part, None)
            if file is None:
                yield part.encode()
                continue
            file.seek(0)
            while block := file.read(_BLOCK):
                yield block


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_source),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
    )
    environment.globals.update(amount=amount, size=size, link=link)
    return environment


def _source(name: str) -> str:
    text = html_assets.read(name) if name == "macros.html" else _read(name)
    return (
        _INDENT.sub("", text)
        .replace(_PICTURES, "{{ pictures }}")
        .replace(_CONTENTS, "{{ contents }}")
    )


@cache
def _read(name: str) -> str:
    return resources.files("batchscan.evidence").joinpath("templates", name).read_text("utf-8")


_PICTURE: Final = _environment().get_template("case_picture.html")
_PAGE: Final = _environment().get_template(CASE)


def _case(
    picture: PictureFields, ours: bytes | None, theirs: Mapping[str, CapturedPreview]
) -> _CaseView:
    path = picture.paths[0].path if picture.paths else ""
    return _CaseView(
        name=os.path.basename(path) or path or "a picture without a name",
        ours=_image(ours),
        credentials=describe(picture.content_credentials),
        matches=tuple(
            _match(match, theirs.get(normalize_url(match.url)))
            for match in picture.matches[:MAX_MATCHES]
        ),
        more=max(0, len(picture.matches) - MAX_MATCHES),
    )


def _match(match: PackedMatch, theirs: CapturedPreview | None) -> _MatchView:
    rule = match.allowed_by
    sent = [decision for decision in match.decisions if decision.disposition is Disposition.NOTICED]
    return _MatchView(
        kind=match.kind,
        domain=match.domain,
        state=match.state,
        url=match.url,
        pages=match.pages[:_MAX_PAGES],
        more_pages=max(0, len(match.pages) - _MAX_PAGES),
        first_seen=_maybe(match.first_seen),
        last_seen=_maybe(match.last_seen),
        disposition=match.disposition,
        allowed=f"by the owner's rule: {rule.reason}" if rule else None,
        decisions=[
            {
                "at": _moment(decision.at),
                "who": decision.who,
                "disposition": decision.disposition.value,
                "note": sentence(decision.note or ""),
                "undo": decision.undo,
            }
            for decision in match.decisions[:_MAX_DECISIONS]
        ],
        notices=[_moment(decision.at) for decision in sent if not decision.undo],
        captures=tuple(map(_capture, match.captures)),
        recheck=_recheck(match.recheck),
        theirs=_image(theirs.jpeg) if theirs else None,
        theirs_at=_moment(theirs.at) if theirs else None,
        shot=_image(theirs.shot) if theirs else None,
    )


def _recheck(recheck: RecheckFields | None) -> str | None:
    if recheck is None:
        return None
    why = f" ({recheck.detail})" if recheck.detail else ""
    since = f" since {_moment(recheck.gone_since)}" if recheck.gone_since else ""
    overruled = "; overruled by a later answer" if recheck.overruled_at else ""
    verdict = recheck.verdict.value.replace("_", " ")
    return f"{_moment(recheck.checked_at)}: {verdict}{since}{why}{overruled}"


def _capture(file: CaptureFields) -> _CaptureView:
    stamp = file.timestamp
    stamped = None
    if stamp is not None:
        moment = _moment(stamp.at) if stamp.at else "(openssl can read when)"
        stamped = f"{moment} by {stamp.url}"
    return _CaptureView(
        at=_moment(file.captured_at),
        who=file.who,
        stamped=stamped,
        resources=tuple(_resources(file.resources)),
        name=file.file or f"not in here: {file.trouble}",
        sha256=file.sha256,
    )


def _resources(captured: Iterable[ResourceFields]) -> Iterator[_ResourceView]:
    others = 0
    for resource in captured:
        if resource.kind is CaptureKind.RESOURCE:
            others += 1
            continue
        status = "no answer" if resource.http_status is None else f"HTTP {resource.http_status}"
        parts = [] if resource.kind is CaptureKind.SCREENSHOT else [status]
        parts += [resource.media_type] if resource.media_type else []
        parts += [size(resource.bytes)] if resource.bytes is not None else []
        parts += [resource.trouble] if resource.trouble else []
        parts += _shares(resource)
        parts += [f"SHA-256 {resource.sha256}"] if resource.sha256 else []
        yield _ResourceView(resource.kind.value, ", ".join(parts))
    if others:
        yield _ResourceView("parts of the page", f"{others:,}")


def _shares(resource: ResourceFields) -> Iterator[str]:
    if resource.our_likeness is not None:
        yield f"{resource.our_likeness:.0%} like ours"
    if resource.likeness is not None:
        yield f"{resource.likeness:.0%} like what was first fetched there"


def _image(data: bytes | None) -> Markup | None:
    """Image data as a `data:` address; None without it."""
    return None if data is None else image_uri(data)


def _maybe(written: str | None) -> str | None:
    return None if written is None else _moment(written)


def _moment(written: str) -> str:
    """A time to the minute: `2026-11-23 18:02 UTC`."""
    return f"{written[:10]} {written[11:16]} UTC"
