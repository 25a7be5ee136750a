"""Folding a log from its beginning quickly."""
