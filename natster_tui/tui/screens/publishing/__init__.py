"""The form that publishes an event."""
