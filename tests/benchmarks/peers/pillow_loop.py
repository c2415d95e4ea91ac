"""What anyone writes first to find damaged pictures: open and load, one after the other."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

for file in sorted(Path(sys.argv[1]).iterdir()):
    with Image.open(file) as image:
        image.load()
