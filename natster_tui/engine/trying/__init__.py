"""Trying a projection on a log without storing anything."""
