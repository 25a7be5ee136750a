"""Which projections are in use: built in, installed, or named by a file."""
