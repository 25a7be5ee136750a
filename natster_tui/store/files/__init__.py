"""Our own files on this machine: private, locked, and read as values."""
