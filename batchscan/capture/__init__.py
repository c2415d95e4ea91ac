"""Capturing the content at matches' addresses in WARC files, with hashes and timestamps."""
