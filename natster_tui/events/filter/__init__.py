"""The filter language: its fields, what a filter means, and how one can go on."""
