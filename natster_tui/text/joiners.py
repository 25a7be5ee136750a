"""Finding the invisible characters that a name needs: joiners and variation selectors.

Elsewhere they change nothing visible, and two different names would look the same.
"""

from __future__ import annotations

import unicodedata

NON_JOINER = "\u200c"
JOINER = "\u200d"
SELECTORS = frozenset("\ufe0e\ufe0f")
"""The selectors for the plain and the coloured form of a symbol."""
UNSEEN_MARKS = frozenset(
    [
        "\u034f",
        *"\u17b4\u17b5",
        *map(chr, range(0x180B, 0x1810)),
        *map(chr, range(0xFE00, 0xFE10)),
        *map(chr, range(0xE0100, 0xE01F0)),
    ]
)
"""Combining marks that draw nothing on their own."""

_KEYCAP = "\u20e3"
_KEYCAP_BASES = frozenset("0123456789#*")
_SKIN = range(0x1F3FB, 0x1F400)
_SYMBOLS = (
    *(range(0x1F000, 0x1FB00), range(0x2600, 0x27C0), range(0x2190, 0x2200)),
    *(range(0x2300, 0x2400), range(0x25A0, 0x2600), range(0x2B00, 0x2C00)),
)
_ARABIC = (range(0x0620, 0x0750), range(0x0750, 0x0780), range(0x08A0, 0x08D0))
_INDIC = range(0x0900, 0x0E00)
_INDIC_BLOCK_BITS = 7
_VIRAMA_CLASS = 9


def is_needed(text: str, at: int) -> bool:
    """Whether the joiner or variation selector at index `at` has an effect there."""
    char = text[at]
    following = text[at + 1] if at + 1 < len(text) else ""
    if at == 0:
        return False
    if char in SELECTORS:
        before = text[at - 1]
        return _is_symbol(before) or (before in _KEYCAP_BASES and following == _KEYCAP)
    if char not in (JOINER, NON_JOINER) or not following:
        return False
    if char == JOINER and _is_symbol(following) and _is_symbol(_symbol_before(text, at)):
        return True
    return _joins_letters(text, at, following)


def _joins_letters(text: str, at: int, following: str) -> bool:
    before = text[at - 1]
    if ord(following) in _INDIC:
        return (
            unicodedata.combining(before) == _VIRAMA_CLASS
            and ord(before) >> _INDIC_BLOCK_BITS == ord(following) >> _INDIC_BLOCK_BITS
            and _is_letter(following)
        )
    while at > 1 and unicodedata.category(text[at - 1]) == "Mn":
        at -= 1
    return _is_arabic(text[at - 1]) and _is_arabic(following)


def _symbol_before(text: str, at: int) -> str:
    """The symbol before a joiner, without its variation selector or skin colour."""
    at -= 1
    if at and text[at] == "\ufe0f":
        at -= 1
    if at and ord(text[at]) in _SKIN:
        at -= 1
    return text[at]


def _is_symbol(char: str) -> bool:
    code = ord(char)
    return any(code in part for part in _SYMBOLS) and unicodedata.category(char) in ("So", "Sm")


def _is_arabic(char: str) -> bool:
    code = ord(char)
    return any(code in part for part in _ARABIC) and _is_letter(char)


def _is_letter(char: str) -> bool:
    return unicodedata.category(char) in ("Lo", "Lm")
