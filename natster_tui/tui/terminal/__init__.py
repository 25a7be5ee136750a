"""The layer between Textual and the terminal: driver, line filters, clipboard."""
