"""Text and JSON from outside, made safe to show. The lowest layer: it imports no other."""
