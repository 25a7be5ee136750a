"""Buckets that another program projects the same log into: comparing them, and taking over."""
