"""Loading and registering projections: built-in ones, installed ones, and those of files."""
