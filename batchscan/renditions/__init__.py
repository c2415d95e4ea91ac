"""Recognizing versions of one picture: smaller, recompressed, or in another format."""
