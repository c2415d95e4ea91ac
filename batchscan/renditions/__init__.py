"""Which files are versions of one picture: smaller, recompressed, or in another format."""
