"""The dialogs and full-screen pages."""
