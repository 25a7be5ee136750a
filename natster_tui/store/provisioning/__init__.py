"""Making our buckets: how they are set up, how large they may get, and why one is refused."""
