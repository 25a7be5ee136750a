"""Counts in words."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """`1 account`, `1,234 accounts`; for nouns whose plural ends in s."""
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"
