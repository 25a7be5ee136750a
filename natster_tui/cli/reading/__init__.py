"""Commands that read the log and its documents, and write nothing."""
