"""The four panes and the inspector."""
