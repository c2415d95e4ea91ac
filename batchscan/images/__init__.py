"""Which files are pictures that the service takes; `judge` and `inspect` are the ways in."""
