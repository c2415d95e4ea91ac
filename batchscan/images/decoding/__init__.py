"""Child processes for decoding hostile files: a crash, a hang or a bomb costs one file only."""
