"""What several test modules need: builders, servers, clocks and processes."""
