"""A key or token in memory that is shown as `***` in tracebacks and logs of values."""

from __future__ import annotations


class SecretStr(str):
    """A string whose `repr` is `***`: tracebacks, debuggers and test reports show arguments."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"
