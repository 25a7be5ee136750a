"""Working beside another program that projects the same log: looking at it, and taking over."""
