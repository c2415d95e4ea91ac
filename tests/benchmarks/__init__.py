"""How fast and how lean it is, beside others on the same machine: `python -m tests.benchmarks`."""
