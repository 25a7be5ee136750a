"""Following, filtering, publishing to, exporting and importing the log."""
