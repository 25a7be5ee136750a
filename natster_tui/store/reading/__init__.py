"""Reading streams in order, each message exactly once."""
