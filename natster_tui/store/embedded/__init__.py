"""The embedded nats-server and its data directory."""
