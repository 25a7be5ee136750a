"""Figures of the community, computed from the states of accounts and catalogs."""
