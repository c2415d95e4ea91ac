"""The whole job on this machine: sample pictures, a small web, the emulator, a scan."""
