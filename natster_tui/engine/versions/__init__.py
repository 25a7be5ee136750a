"""Versions of a projection beside the stored one: projected, compared, promoted, dropped."""
