"""The inspector's pages as values: sheets of labelled lines and tables."""
