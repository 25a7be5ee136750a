"""The actions of the dashboard's commands."""
