"""Runs before and after their scan: recovery, new reports, retention, pruning."""
