"""Where to connect and as whom: flags, environment and contexts."""
