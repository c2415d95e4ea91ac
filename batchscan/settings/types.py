"""Setting types: parsing, validating and formatting values.

One object for each setting is used for the file, the flags, the environment, programs, `doctor` and
the example file, so that they agree. A type *reads* the value of a source (text, or a typed value
of YAML) and *checks* the finished value, which a program may have made.
"""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass

_MAX_LINE = 300  # characters


class SettingType(ABC):
    """The type of a setting."""

    of_mappings = False  # whether it is a list of names with values

    @property
    @abstractmethod
    def allowed(self) -> str:
        """The allowed values, for messages: "allowed: ..."."""

    @abstractmethod
    def check(self, value: object) -> None:
        """Reject a value that is not allowed.

        Raises:
            ValueError: it is not; its message, if there is one, is more precise than `allowed`.
        """

    def read(self, raw: object) -> object:
        """Convert a raw value for `check`.

        Raises:
            ValueError: as for `check`.
        """
        return raw

    def show(self, value: object) -> str:
        """Format a checked value as in the file."""
        return str(value)

    def hide(self, text: str) -> str:
        """The part of an invalid value that messages may show."""
        return text


def text_only(raw: object) -> str:
    """Require text; values that YAML reads as another type are rejected.

    Raises:
        ValueError: it is a number or boolean, which may have lost leading zeros.
    """
    if isinstance(raw, str):
        return raw
    raise ValueError("put text that looks like a number or a truth value in quotes")


@dataclass(frozen=True)
class BoolType(SettingType):
    """Yes or no."""

    allowed: str = "true or false"

    def check(self, value: object) -> None:
        """Reject anything but a boolean."""
        if value is not True and value is not False:
            raise ValueError

    def show(self, value: object) -> str:
        """`true` or `false`."""
        return "true" if value else "false"


@dataclass(frozen=True)
class ChoiceType(SettingType):
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def allowed(self) -> str:
        """The words."""
        return f"{', '.join(self.words[:-1])} or {self.words[-1]}"

    def check(self, value: object) -> None:
        """Reject other words."""
        if value not in self.words:
            raise ValueError


@dataclass(frozen=True)
class Choices(ChoiceType):
    """One or more of a few words, separated by commas; `alone` cannot be combined."""

    alone: str = ""

    @property
    def allowed(self) -> str:
        """The words, and how to combine them."""
        return f"{super().allowed}; several with commas"

    def read(self, raw: object) -> object:
        """Read text or a list of words; removes duplicates, in the order of the words."""
        parts = raw if isinstance(raw, list | tuple) else text_only(raw).split(",")
        given = [text_only(part).strip() for part in parts]
        if not given or not {*given} <= {*self.words}:
            raise ValueError
        return ",".join(word for word in self.words if word in given)

    def check(self, value: object) -> None:
        """Reject other words, and `alone` with others."""
        given = value.split(",") if isinstance(value, str) else []
        if not given or not {*given} <= {*self.words}:
            raise ValueError
        if self.alone in given and len(given) > 1:
            raise ValueError(f"`{self.alone}` cannot be combined with others")


@dataclass(frozen=True)
class WordType(SettingType):
    """A word without spaces, such as an e-mail address."""

    allowed: str = "text without spaces"

    def read(self, raw: object) -> object:
        """Require text."""
        return text_only(raw)

    def check(self, value: object) -> None:
        """Reject empty text, spaces and unprintable characters."""
        if not isinstance(value, str) or not value.isprintable() or " " in value:
            raise ValueError
        if not value:
            raise ValueError("it is empty")


@dataclass(frozen=True)
class LineType(SettingType):
    """A line of text."""

    allowed: str = "one line of text, at most 300 characters"

    def read(self, raw: object) -> object:
        """Require text."""
        return text_only(raw)

    def check(self, value: object) -> None:
        """Reject empty or overlong text, and unprintable characters."""
        if not isinstance(value, str) or not value.isprintable() or len(value) > _MAX_LINE:
            raise ValueError
        if not value.strip():
            raise ValueError("it is empty")


@dataclass(frozen=True)
class TimeZoneType(SettingType):
    """A time zone of the IANA database."""

    allowed: str = "UTC, or a zone such as Europe/Berlin"

    def read(self, raw: object) -> object:
        """Require text."""
        return text_only(raw)

    def check(self, value: object) -> None:
        """Reject unknown zones; without a database on the system, PyPI's `tzdata` has one."""
        if value == "UTC":
            return
        from zoneinfo import ZoneInfo  # noqa: PLC0415 - most runs do without

        try:
            ZoneInfo(value if isinstance(value, str) else "")
        except (KeyError, ValueError, OSError):
            raise ValueError(
                "unknown time zone (`pip install tzdata` installs all of them)"
            ) from None


@dataclass(frozen=True)
class PathType(SettingType):
    """A path, which the loader makes absolute.

    Args:
        allowed: what is allowed.
        beside_file: whether a relative one in the settings file starts at that file's folder;
            everywhere else, it starts at the working folder.
    """

    allowed: str = "a path"
    beside_file: bool = True

    def read(self, raw: object) -> object:
        """Require text."""
        return text_only(raw)

    def check(self, value: object) -> None:
        """Reject empty paths, NUL and lone surrogates, which file systems cannot store."""
        if not isinstance(value, str) or not value or "\0" in value:
            raise ValueError
        try:
            os.fsencode(value)
        except UnicodeEncodeError:
            raise ValueError from None


@dataclass(frozen=True)
class PatternsType(SettingType):
    """gitignore patterns."""

    allowed: str = "a list of patterns, such as [drafts/, '*.bak.jpg']"

    def read(self, raw: object) -> object:
        """Read a list, or a single pattern."""
        items = raw if isinstance(raw, list | tuple) else (raw,)
        return tuple(text_only(item) for item in items)

    def check(self, value: object) -> None:
        """Reject empty patterns and line breaks."""
        items = value if isinstance(value, tuple) else (value,)
        for item in items:
            if not isinstance(item, str) or set(item) & set("\0\r\n"):
                raise ValueError
            if not item.strip():
                raise ValueError("an empty pattern matches nothing")
        if items is not value:
            raise ValueError

    def show(self, value: object) -> str:
        """The list."""
        return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)


@dataclass(frozen=True)
class ArgvType(SettingType):
    """A command and its arguments as a list; no shell is involved."""

    allowed: str = "a list of words, such as [/usr/local/bin/tell, --now]"

    def read(self, raw: object) -> object:
        """Read a list of texts."""
        if isinstance(raw, list | tuple):
            return tuple(text_only(word) for word in raw)
        raise ValueError("it runs without a shell: write each word as an item of its own")

    def check(self, value: object) -> None:
        """Reject NUL, and commands relative to the working folder."""
        words = value if isinstance(value, tuple) else (value,)
        if words is not value or not all(isinstance(word, str) for word in words):
            raise ValueError
        if any("\0" in word for word in words):
            raise ValueError("it contains a NUL byte")
        command = words[0] if words else "none"
        if not command or ("/" in command and not command.startswith("/")):
            raise ValueError("name the command by its whole path, or by a name in PATH")

    def show(self, value: object) -> str:
        """The list."""
        return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)


@dataclass(frozen=True)
class EnvVarNameType(SettingType):
    """The name of an environment variable that holds a secret."""

    allowed: str = "the name of an environment variable, in capitals"

    def read(self, raw: object) -> object:
        """Require text."""
        return text_only(raw)

    def check(self, value: object) -> None:
        """Reject text that is not a name, such as the secret itself."""
        if not isinstance(value, str) or not re.fullmatch(r"[A-Z_][A-Z0-9_]*", value):
            raise ValueError("the secret itself must not be in this file")

    def hide(self, text: str) -> str:  # noqa: ARG002 - what is not a name may be the secret
        """Hide the whole text."""
        return "***"
