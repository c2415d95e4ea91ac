"""A client for the vendor's API; imports nothing else of batchscan."""
