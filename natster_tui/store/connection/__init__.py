"""One connection to a NATS server, and how streams are read over it."""
