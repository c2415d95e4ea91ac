"""Runs before and after their scan: recovery, reports again, retention, pruning."""
