"""Importing the stores' libraries when they are first needed."""

from __future__ import annotations

import errno
import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from batchscan.errors import UsageError
from batchscan.util.escaping import printable
from batchscan.version import install_line

_log = logging.getLogger(__name__)
CLOSING = 5.0  # seconds: a store that has gone away is not waited for
# Their caches would hold whole listings.
UNCACHED = {"use_listings_cache": False}


def library(module: str, extra: str) -> Any:
    """Import a store's library.

    Args:
        module: its name.
        extra: ours that installs it.

    Raises:
        UsageError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UsageError(
            f"reading from there needs {module}, which cannot be imported ({error})",
            advice=install_line(extra),
        ) from error


def filesystem(module: str, extra: str, name: str, **options: Any) -> Any:
    """Open a new instance of an fsspec file system, whose own logs are suppressed but for `-v`.

    Raises:
        UsageError: the library is not installed.
    """
    kind = getattr(library(module, extra), name)
    if not _log.isEnabledFor(logging.DEBUG):  # it raises what it logs, and logs it with a traceback
        logging.getLogger(module).setLevel(logging.CRITICAL)
    return kind(skip_instance_cache=True, **options)


_MAX_LENGTH: Final = 300  # characters of an error's text, which may be a whole page of HTML
_GONE: Final = frozenset({404, "404"})
_REFUSED: Final = frozenset({401, 403, "401", "403"})
# By name, to avoid importing the libraries.
_CREDENTIALS: Final = frozenset(
    {
        "NoCredentialsError",
        "PartialCredentialsError",
        "CredentialRetrievalError",
        "ProfileNotFound",
        "TokenRetrievalError",
        "SSOTokenLoadError",
        "UnauthorizedSSOTokenError",
        "DefaultCredentialsError",
        "RefreshError",
        "ClientAuthenticationError",
        "CredentialUnavailableError",
        "HostKeyNotVerifiable",
        "PermissionDenied",
        "SFTPPermissionDenied",
    }
)


@contextmanager
def as_os_errors() -> Iterator[None]:
    """Convert all errors of a store's library to OSError."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, _text(error)) from error
    except PermissionError as error:
        raise PermissionError(errno.EACCES, _text(error)) from error
    except OSError:
        raise
    except Exception as error:  # each library has a tree of its own
        raise _os_error(error) from error


def _os_error(error: Exception) -> OSError:
    text = _text(error)
    codes = {getattr(error, name, None) for name in ("code", "status_code", "status")}
    names = {kind.__name__ for kind in type(error).__mro__}
    if codes & _GONE or names & {"SFTPNoSuchFile", "SFTPNoSuchPath", "ResourceNotFoundError"}:
        return FileNotFoundError(errno.ENOENT, text)
    if codes & _REFUSED or names & _CREDENTIALS:
        return PermissionError(errno.EACCES, text)
    return OSError(errno.EIO, text)


def _text(error: Exception) -> str:
    """The message of an error on one line; its type without one."""
    message = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    first = message.strip().partition("\n")[0]
    return printable(first)[:_MAX_LENGTH] or type(error).__name__
