"""Commands as processes of their own, as for the command line."""

from tests.cli.conftest import _logging_as_it_was, environ, run

__all__ = ["_logging_as_it_was", "environ", "run"]
