"""The widgets that panes and screens use."""
