"""What the user prefers: the settings file, and what is remembered from one run to the next."""
