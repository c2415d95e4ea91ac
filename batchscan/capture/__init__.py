"""Captures of what stands at matches' addresses: as transferred, in WARC files, dated and hashed."""
