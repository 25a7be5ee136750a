"""The dashboard: panes and dialogs over the engine, in Textual."""
