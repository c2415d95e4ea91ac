"""Finding copies of pictures, for the emulator."""
