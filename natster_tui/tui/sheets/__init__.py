"""What the inspector shows, as values: sheets of labelled lines and tables."""
