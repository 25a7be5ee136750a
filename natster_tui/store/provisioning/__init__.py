"""Creating our buckets: their settings, their size limits, and the server's refusals."""
