"""The earlier states and documents of a fold, kept as changes."""
