"""Ranking how well a command matches a text in the palette.

Its label counts more than what it does, and the beginning of a word more than letters inside one.
Letters far apart match within the label only: across a whole sentence they match almost anything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntEnum

_WORD = re.compile(r"\w+")


class Rank(IntEnum):
    """How well a command matches, the best last."""

    NOTHING = 0
    LETTERS = 1
    """The label has the letters in this order."""
    INSIDE = 2
    """Each word that was typed is in the text."""
    WORDS = 3
    """Each word that was typed begins a word of the text."""
    LABEL_WORDS = 4
    """Each word that was typed begins a word of the label."""
    LABEL_BEGINS = 5
    KEY = 6
    """It is one of the command's keys."""
    LABEL = 7


def rank(typed: str, label: str, text: str, keys: Sequence[str] = ()) -> Rank:
    """How well a command matches; `text` is what it does, `keys` are as people read them."""
    wanted, label, text = (" ".join(each.lower().split()) for each in (typed, label, text))
    words = wanted.split()
    label_words, all_words = _WORD.findall(label), _WORD.findall(f"{label} {text}")
    if not words:
        return Rank.NOTHING
    if wanted == label:
        return Rank.LABEL
    if typed.strip() in keys:
        return Rank.KEY
    if label.startswith(wanted):
        return Rank.LABEL_BEGINS
    if _each_begins(words, label_words):
        return Rank.LABEL_WORDS
    if _each_begins(words, all_words):
        return Rank.WORDS
    if all(word in f"{label} {text}" for word in words):
        return Rank.INSIDE
    return Rank.LETTERS if _has_letters(wanted.replace(" ", ""), label) else Rank.NOTHING


def matched(typed: str, shown: str) -> Sequence[tuple[int, int]]:
    """The positions of the typed words in a text: the start and the end of each."""
    lower = shown.lower()
    if len(lower) != len(shown):
        return []
    found = []
    for word in typed.lower().split():
        at = re.search(rf"\b{re.escape(word)}", lower)
        start = at.start() if at else lower.find(word)
        if start >= 0:
            found.append((start, start + len(word)))
    return found


def _each_begins(words: Sequence[str], others: Sequence[str]) -> bool:
    return all(any(other.startswith(word) for other in others) for word in words)


def _has_letters(letters: str, label: str) -> bool:
    rest = iter(label)
    return all(letter in rest for letter in letters)
