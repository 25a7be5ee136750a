"""Files of our own on this machine: private, locked, and read as values."""
