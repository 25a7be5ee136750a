"""Dialogs that are a page of lines, and what stands on them."""
