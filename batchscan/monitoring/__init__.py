"""Monitoring of scans: a heartbeat URL and a metrics file."""
