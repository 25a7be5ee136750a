"""Projecting, rebuilding, verifying and history, independent of any screen."""
