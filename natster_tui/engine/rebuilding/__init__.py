"""Replaying the log to rebuild or verify projections."""
