"""Dialogs that show a page of lines, and the content of these pages."""
