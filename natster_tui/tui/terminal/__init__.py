"""Between Textual and the terminal: driver, line filters, clipboard."""
