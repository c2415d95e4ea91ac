"""Child processes that hostile files are decoded in: a crash, a hang or a bomb costs one file."""
