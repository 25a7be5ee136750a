"""The answers of a NATS server as values: decoded strictly, or refused."""
