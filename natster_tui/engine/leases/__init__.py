"""Leases: which process projects or rebuilds a projection, as this process sees it."""
