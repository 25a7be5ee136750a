"""The terminal dashboard over the Natster event log: watch, understand and rebuild projections."""

__version__ = "0.2.0.dev0"
