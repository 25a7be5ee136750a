"""The user's settings file, and what is remembered from one run to the next."""
