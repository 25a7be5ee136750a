"""Finding documents by a part of their name or key, best match first.

All names are in one string, a line each, and so are all keys. Python searches such a string faster
than a list, and each search stops after a fixed number of matches: among 100,000 accounts a key
press takes some milliseconds, whether it matches all of them or none.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

LOOKED_AT = 120
"""Matching lines that one search goes through."""
LOOKED_AT_FOR_WORDS = 2_000
"""Lines with the longest of several words in which the others are searched."""
BETWEEN_WORDS = " -_."
CUT = "…"
"""The mark of a shortened key, as rows show it: `ACB4…GDT`."""


class Rank(IntEnum):
    """How well a name matches, best first."""

    WHOLE = 0
    BEGINNING = 1
    WORD = 2
    """A word of the name begins with the text."""
    INSIDE = 3
    WORDS = 4
    """The name holds each word of the text, wherever."""


@dataclass(frozen=True, slots=True, order=True)
class Match:
    """A document that was found. Matches sort best first, shorter names before longer ones."""

    rank: Rank
    length: int
    key: str


class NameIndex:
    """Names and keys of documents. Add all, finish, then find."""

    def __init__(self) -> None:
        self._names = _Lines()
        self._own_keys = _Lines()

    def add(self, key: str, names: Iterable[str]) -> None:
        """Names of a document; its key is one of them only if it is given."""
        for name in names:
            (self._own_keys if name == key else self._names).add(key, name)

    def finish(self) -> None:
        """Make what was added findable."""
        self._names.finish()
        self._own_keys.finish()

    def find(self, text: str, limit: int) -> list[Match]:
        """The documents that match best, at most `limit`, each once."""
        wanted = _plain(text)
        if not wanted:
            return []
        found: dict[str, Match] = {}
        for lines in (self._names, self._own_keys):
            for match in lines.matches(wanted):
                before = found.setdefault(match.key, match)
                if before is not match and match < before:
                    found[match.key] = match
        return sorted(found.values())[:limit]


class _Lines:
    """Texts, each with the key of its document, in one string."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._keys: list[str] = []
        self._starts: list[int] = []
        self._end = 1
        self._text = "\n"

    def add(self, key: str, text: str) -> None:
        """Add a line."""
        if line := _plain(text):
            self._lines.append(line)
            self._keys.append(key)
            self._starts.append(self._end)
            self._end += len(line) + 1

    def finish(self) -> None:
        """Join the lines."""
        self._text = "\n".join(("", *self._lines, ""))

    def matches(self, wanted: str) -> Iterator[Match]:
        """The lines that match, in no order, some of them twice."""
        having = list(self._having(wanted))
        for line in having:
            yield self._match(line, wanted)
        if len(having) == LOOKED_AT:
            # There are so many that better ones may come later.
            for part in (f"\n{wanted}\n", f"\n{wanted}", f" {wanted}"):
                for line in self._having(part):
                    yield self._match(line, wanted)
        beginning, cut, end = wanted.partition(CUT)
        if cut:
            for line in self._having(f"\n{beginning}"):
                if self._lines[line].endswith(end):
                    yield Match(Rank.BEGINNING, len(self._lines[line]), self._keys[line])
        words = wanted.split()
        if len(words) > 1:
            for line in self._having(max(words, key=len), LOOKED_AT_FOR_WORDS):
                if all(word in self._lines[line] for word in words):
                    yield self._match(line, wanted)

    def _match(self, line: int, wanted: str) -> Match:
        """How well a line matches that holds the text, or each of its words."""
        text = self._lines[line]
        if text == wanted:
            rank = Rank.WHOLE
        elif text.startswith(wanted):
            rank = Rank.BEGINNING
        elif any(before + wanted in text for before in BETWEEN_WORDS):
            rank = Rank.WORD
        else:
            rank = Rank.INSIDE if wanted in text else Rank.WORDS
        return Match(rank, len(text), self._keys[line])

    def _having(self, part: str, most: int = LOOKED_AT) -> Iterator[int]:
        """The lines that hold a text; a line feed in it stands for a line's beginning or end."""
        at, shift = 0, 1 if part.startswith("\n") else 0
        for _ in range(most):
            at = self._text.find(part, at)
            if at < 0:
                return
            line = bisect_right(self._starts, at + shift) - 1
            yield line
            # One match in a line is enough.
            at = self._starts[line] + len(self._lines[line])


def _plain(text: str) -> str:
    """The text as it is compared: one line, whatever the letter case."""
    return " ".join(text.casefold().split())
