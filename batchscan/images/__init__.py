"""Judging, converting and stripping pictures; entry points are `judge`, `read` and `sending`."""
