"""Using the log: following, filtering, publishing, export and import."""
