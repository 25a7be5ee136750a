"""Commands that look at the documents of the whole log and write nothing."""
