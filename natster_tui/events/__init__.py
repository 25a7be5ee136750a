"""What the log holds: records, events, filters, and why an event is parked. Pure."""
