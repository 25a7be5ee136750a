"""What a full-screen program printed, read as strictly as it can be.

Textual's own sequences are a short list. Anything else that begins with a control character, and
any character that a terminal would act on or not show, is a leak.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from dataclasses import dataclass

from natster_tui.text.safe_text import MARKS_PER_CHARACTER

_STYLE = r"(?:0|1|2|3|4|7|[34]8;5;\d{1,3}|[34]8;2;\d{1,3};\d{1,3};\d{1,3})"
_OWN = re.compile(
    r"\x1b\["
    r"(?:"
    rf"{_STYLE}(?:;{_STYLE})*m"  # never blinking, never invisible
    r"|\d+;\d+H"
    r"|\?(?:7|25|1000|1003|1004|1006|1015|1016|1049|2004|2026|2048)[hl]"
    r"|\?(?:2026|2048)\$p"
    r"|>\d+u|<u"
    r")"
    r"|\x1b\]22;[a-z-]*\x07"  # the shape of the mouse's pointer
    # A row has ended, and the next one begins where Textual says.
    r"|\r?\n(?=\x1b\[\d+;\d+H)"
)
_COPIED = re.compile(r"\x1b\]52;c;([A-Za-z0-9+/]*=*)\x07")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


@dataclass(frozen=True)
class Printed:
    """The text of it all, and what went to the clipboard."""

    text: str
    copied: tuple[str, ...]


def read_printed(printed: bytes) -> Printed:
    """Raises AssertionError, with what stands around it, for anything that is not Textual's."""
    output = printed.decode("utf-8")
    copied = tuple(base64.b64decode(found).decode("ascii") for found in _COPIED.findall(output))
    # What is left of a sequence must stay where it was, to be shown by the assertion.
    text = _OWN.sub("\n", _COPIED.sub("\n", output))
    marks = 0
    for position, char in enumerate(text):
        if char == "\n" or (char.isascii() and char.isprintable()):
            marks = 0
            continue
        category = unicodedata.category(char)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        leaks = category in _UNSEEN or char in _BLANKS or marks > MARKS_PER_CHARACTER
        assert not leaks, f"U+{ord(char):04X} in {text[max(0, position - 60) : position + 60]!r}"
    return Printed(text, copied)
