"""The log as a whole: its settings and hazards, its identity, and its JSON lines. Pure."""
