"""Makes text from outside safe to show in a terminal.

Subjects, payloads, headers, keys, error texts and bucket values may hold anything, and neither
Textual nor Rich stops an escape sequence. This module replaces control and format characters with
visible symbols, except those that a name needs (`joiners`), and limits combining marks and length.
Text is sanitised once, where it is decoded. The result is only for showing: use the original name
to look something up or to write it back.

Mask secrets first (`masking`): a shortened secret is not recognised.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from natster_tui.text.joiners import JOINER, NON_JOINER, SELECTORS, UNSEEN_MARKS, is_needed

ELLIPSIS = "…"
MARKS_PER_CHARACTER = 3
"""Combining marks kept on one character. Scripts in use need fewer; more would overprint lines."""

_TAB_WIDTH = 4
_UTF8_LONGEST = 4
_SHOWN_AS_CODE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKS = frozenset({"Mn", "Me"})
_JOINERS = frozenset((JOINER, NON_JOINER))
_NEEDS_A_NEIGHBOUR = "".join((*_JOINERS, *SELECTORS))
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Hangul fillers and the empty braille cell: Unicode calls them printable, but they are blank."""

_IN_PLAIN_BLOCKS = re.compile(r"[\u0000-\u02ff\u2010-\u205e\u2190-\u27ff]*").fullmatch
"""Whether a text has characters of those blocks alone whose printable ones all look like
themselves: Latin letters, punctuation, arrows, boxes."""


def safe_text(value: str | bytes, limit: int = 4096) -> str:
    """One line that is safe to show, of at most `limit` characters.

    Bytes are decoded as UTF-8, with U+FFFD for invalid ones. C0 controls become control pictures
    (ESC is ␛, newline ␊), and other invisible characters their code points (`‹202E›`). Calling it
    on its own result changes nothing.
    """
    if isinstance(value, bytes):
        value = _decode(value, limit)
    if len(value) <= limit and value.isascii() and value.isprintable():
        return value
    # Cut first, to do no work for text that is dropped.
    return _capped(_visible(value[:limit]), limit, was_cut=len(value) > limit)


def safe_block(value: str | bytes, max_lines: int = 500, limit: int = 65_536) -> str:
    """Several lines that are safe to show: newlines stay, tabs are expanded.

    At most `max_lines` lines and `limit` characters; an ellipsis stands where more followed.
    """
    if isinstance(value, bytes):
        value = _decode(value, limit)
    text = value[:limit].replace("\r\n", "\n").expandtabs(_TAB_WIDTH)
    lines = text.split("\n", max_lines)
    if len(lines) > max_lines:
        lines[max_lines - 1 :] = [ELLIPSIS]
    return _capped("\n".join(map(_visible, lines)), limit, was_cut=len(value) > limit)


def safe_in_place(text: str) -> str:
    """The text with one symbol for each character that must not reach a terminal, length kept.

    Use it where positions matter, as in an input field.
    """
    if text.isprintable() and (text.isascii() or _IN_PLAIN_BLOCKS(text)):
        return text
    shown: list[str] = []
    marks = 0
    for at, char in enumerate(text):
        marks = marks + 1 if shown and _is_mark(text, at) else 0
        if 0 < marks <= MARKS_PER_CHARACTER or (char in _JOINERS and is_needed(text, at)):
            shown.append(char)
        else:
            symbol = _visible_character(char)
            shown.append(symbol if len(symbol) == 1 else "\ufffd")
    return "".join(shown)


def _decode(value: bytes, limit: int) -> str:
    """Decode only what is needed: `limit` characters, and one more if the text is longer."""
    return value[: (limit + 1) * _UTF8_LONGEST].decode("utf-8", "replace")


def _capped(text: str, limit: int, *, was_cut: bool) -> str:
    if len(text) > limit or (was_cut and not text.endswith(ELLIPSIS)):
        kept = text[: max(limit - 1, 0)].rstrip(_NEEDS_A_NEIGHBOUR)
        return kept + ELLIPSIS[:limit]
    return text


def _visible(text: str) -> str:
    """The text with invisible characters made visible and combining marks limited."""
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks = 0
    for at, char in enumerate(text):
        # A leading mark would combine with the character before it on the screen.
        if shown and _is_mark(text, at):
            marks += 1
            if marks <= MARKS_PER_CHARACTER:
                shown.append(char)
            continue
        if marks > MARKS_PER_CHARACTER:
            shown.append(_surplus(marks))
        elif char in _JOINERS and is_needed(text, at):
            marks = 0
            shown.append(char)
            continue
        marks = 0
        shown.append(_visible_character(char))
    if marks > MARKS_PER_CHARACTER:
        shown.append(_surplus(marks))
    return "".join(shown)


def _is_mark(text: str, at: int) -> bool:
    """Whether a character is drawn onto the one before it, or changes how that one looks."""
    char = text[at]
    if char <= "\u02ff" or unicodedata.category(char) not in _MARKS:
        return False
    return char not in UNSEEN_MARKS or is_needed(text, at)


def _surplus(marks: int) -> str:
    """How many marks were dropped, so that two different names never look the same."""
    return f"‹+{marks - MARKS_PER_CHARACTER}›"


@lru_cache(maxsize=4096)
def _visible_character(char: str) -> str:
    """The character itself, or the symbol that replaces it when it starts a cell."""
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    category = unicodedata.category(char)
    if category in _SHOWN_AS_CODE or category in _MARKS or char in _BLANKS:
        return f"‹{code:02X}›"
    return char
