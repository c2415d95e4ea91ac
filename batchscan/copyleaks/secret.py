"""A key or token in memory: whole on its way to the service, `***` wherever values are shown."""

from __future__ import annotations


class SecretStr(str):
    """A string whose `repr` shows nothing: tracebacks, debuggers and test reports show arguments."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"
