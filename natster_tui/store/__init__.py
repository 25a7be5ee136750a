"""NATS and cryptography: the only layer that knows them."""
