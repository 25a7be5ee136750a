"""Projecting, rebuilding, verifying and history: what the program does, without a screen."""
