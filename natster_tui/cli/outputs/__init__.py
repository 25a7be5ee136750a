"""The models of what commands print with `--json`, one module for each subject."""
