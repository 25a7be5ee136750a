"""Versions of a projection that are stored beside the stored one, and comparing the two."""
