"""Metadata of pictures: reading it for reports, and removing it from what is sent."""
