"""Where pictures are inspected and uploaded: on this machine."""
