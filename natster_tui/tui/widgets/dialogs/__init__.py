"""Widgets of dialogs: pages of lines, checkboxes, and hints that can be clicked."""
