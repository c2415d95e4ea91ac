"""What pictures say about themselves: read for reports, taken out of what is sent."""
