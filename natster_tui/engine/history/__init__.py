"""The past: time travel, one document's history, activity over time."""
