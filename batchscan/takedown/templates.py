"""Rendering notices from templates: ours, or the user's own."""

from __future__ import annotations

import traceback
from importlib import resources
from typing import Any

from jinja2 import FunctionLoader, StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from batchscan.errors import UsageError
from batchscan.util.escaping import printable

_MAX_BYTES = 1_000_000  # bytes
# The errors of a template while it runs.
_WRONG = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


class NoticeTemplate:
    """A template of a notice.

    Args:
        suffix: `.md` or `.txt`: chooses one of ours, or the format of the user's.
        path: the user's own template; None for ours.

    Raises:
        UsageError: it cannot be read, or is not a template; the message has file and line.
    """

    def __init__(self, suffix: str, path: str | None = None) -> None:
        self._name = path or f"notice{suffix}.j2"
        source = _read(path) if path else default_template(suffix)
        environment = ImmutableSandboxedEnvironment(
            # Strings are escaped before: Jinja2 escapes only for HTML
            autoescape=False,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            loader=FunctionLoader(
                lambda name: (source, name, None) if name == self._name else None
            ),
        )
        try:
            self._template: Template = environment.get_template(self._name)
        except TemplateSyntaxError as error:
            raise self._mistake(error.lineno, str(error.message)) from None

    def render(self, values: dict[str, Any]) -> str:
        """Render the text.

        Raises:
            UsageError: the template fails, as with an unknown name; the message has file and line.
        """
        try:
            return self._template.render(values)
        except TemplateSyntaxError as error:
            raise self._mistake(error.lineno, str(error.message)) from None
        except _WRONG as error:
            frames = traceback.extract_tb(error.__traceback__)
            lines = [frame.lineno for frame in frames if frame.filename == self._name]
            raise self._mistake(lines[-1] if lines else None, str(error)) from error

    def _mistake(self, line: int | None, problem: str) -> UsageError:
        where = printable(self._name) if line is None else f"{printable(self._name)} line {line}"
        return UsageError(
            f"{where}: {printable(problem)}",
            advice="the names that a template can use are listed at the top of `batchscan takedown --show-template md`",
        )


def default_template(suffix: str) -> str:
    """The text of the template that comes with batchscan."""
    folder = resources.files("batchscan.takedown").joinpath("templates")
    return folder.joinpath(f"notice{suffix}.j2").read_text("utf-8")


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{printable(path)}: cannot be read: {error.strerror}") from error
    if len(data) > _MAX_BYTES:
        raise UsageError(f"{printable(path)}: too large for a template")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{printable(path)} line {line}: not UTF-8") from None
