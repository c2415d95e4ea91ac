"""Captures of what is at matches' addresses: as transferred, in WARC files, dated and hashed."""
