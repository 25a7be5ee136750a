"""Encryption at rest: envelopes, data keys and the key file."""
