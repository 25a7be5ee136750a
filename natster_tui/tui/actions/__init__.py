"""What the dashboard's commands do."""
