"""Every key of the dashboard, in one table for each pane and dialog."""
