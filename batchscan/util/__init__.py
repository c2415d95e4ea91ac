"""Helpers without knowledge of the domain: files, paths, URLs, times."""
