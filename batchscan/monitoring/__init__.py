"""What a scan reports to monitoring: a heartbeat URL and a metrics file."""
