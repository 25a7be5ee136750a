"""What a NATS server answers, as values: decoded strictly, or refused."""
