"""The filter language: its fields, its grammar, and completion."""
