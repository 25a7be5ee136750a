"""Commands that write to the log or copy it, and the commands of its keys."""
