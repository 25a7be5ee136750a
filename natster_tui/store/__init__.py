"""NATS and cryptography: the only layer that imports them."""
