"""What another program stored of a log, and what explains how it differs."""
