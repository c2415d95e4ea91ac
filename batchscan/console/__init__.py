"""The terminal, the log and the exit code of a command."""
