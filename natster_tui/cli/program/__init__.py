"""Commands about the program itself: dashboard, settings, help, schemas and completion."""
