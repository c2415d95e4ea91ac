"""How the emulator finds copies of pictures."""
