"""The made-up community that `natster-tui demo` shows, and its live traffic."""
