"""What commands print with `--json`, as models: one module for each subject."""
