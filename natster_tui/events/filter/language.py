"""Filters for events: the grammar, and whether an event passes.

A filter is a list of words separated by blanks, and an event must match all of them. A word that
begins with `-` must not match. `or` separates alternatives, one of which must match. A word that
names no field is free text. Double quotes keep blanks in a word. The table in `fields` lists the
fields and the values that they take.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

from natster_tui.events.event import Record
from natster_tui.events.event_kind import EventKind
from natster_tui.events.filter.bounds import Bounds
from natster_tui.events.filter.field_table import FROM, TEXT, fields_of
from natster_tui.events.filter.filter_field import (
    BadFilterError,
    Candidate,
    FilterField,
    NameOf,
    ParkedReason,
    Values,
    Word,
)
from natster_tui.events.system import EventSystem
from natster_tui.events.tokens import is_usable_token

OR = "or"
WORD = re.compile(r'(?:[^\s"]|"[^"]*"?)+')
"""A word of a filter, with its quotes."""
_KEY_LENGTH = 56


@dataclass(frozen=True, slots=True)
class Alternative:
    """Words that must all match, within bounds. `kinds` are the kinds that can pass (None: all)."""

    words: tuple[Word, ...]
    bounds: Bounds
    kinds: frozenset[EventKind] | None = None

    def passes(self, candidate: Candidate) -> bool:
        """Whether a record passes all words; the bounds are not checked here."""
        return all(
            word.field.matches is None or word.field.matches(word.value, candidate) != word.negated
            for word in self.words
        )

    def subject_filter(self, system: EventSystem) -> str:
        """See `EventFilter.subject_filter`."""
        for word in self.words:
            whole = len(word.value) == _KEY_LENGTH and is_usable_token(word.value)
            if word.field is FROM and whole and not word.negated:
                return system.of_origin(word.value)
        if self.kinds is not None and len(self.kinds) == 1:
            (kind,) = self.kinds
            if kind.has_target and kind.has_catalog:
                # Other kinds count whatever their unused tokens are, even a literal ">".
                return system.subject(event=kind.name)
        return ""


@dataclass(frozen=True)
class EventFilter:
    """A parsed filter. `text` is what was typed; an event passes if one alternative lets it."""

    system: EventSystem
    text: str
    alternatives: tuple[Alternative, ...]

    @property
    def bounds(self) -> Bounds:
        """The bounds of all events that can pass."""
        return reduce(Bounds.enclosing, (each.bounds for each in self.alternatives))

    @property
    def first(self) -> int:
        """The first sequence that can pass."""
        return self.bounds.first

    @property
    def last(self) -> int | None:
        """The last sequence that can pass, or None."""
        return self.bounds.last

    def within(self, bounds: Bounds) -> EventFilter:
        """The same filter, narrowed to bounds."""
        narrowed = (
            replace(each, bounds=each.bounds.intersection(bounds)) for each in self.alternatives
        )
        return replace(self, alternatives=tuple(narrowed))

    def passes(self, record: Record, name_of: NameOf, parked: ParkedReason) -> bool:
        """Whether a record passes."""
        possible = [each for each in self.alternatives if each.bounds.contain(record)]
        if not possible:
            return False
        candidate = Candidate(record, self.system.read(record), name_of, parked)
        return any(each.passes(candidate) for each in possible)

    @property
    def asks_for_names(self) -> bool:
        """Whether any word may be about an account's name."""
        return any(
            word.field is TEXT or word.field.values is Values.ACCOUNTS
            for each in self.alternatives
            for word in each.words
        )

    @property
    def subject_filter(self) -> str:
        """A wildcard subject for the server that leaves out nothing that passes; "" if none.

        Only a word that names a whole token narrows it: names and beginnings of keys do not.
        """
        found = {each.subject_filter(self.system) for each in self.alternatives}
        return found.pop() if len(found) == 1 else ""


@dataclass(frozen=True)
class FilterLanguage:
    """The filters for a system's events."""

    system: EventSystem
    fields: tuple[FilterField, ...]

    @property
    def summary(self) -> str:
        """All fields on one line, as examples."""
        return " ".join(field.example for field in self.fields)

    def parse(self, text: str, now: float) -> EventFilter:
        """The filter that a text means; `now` (unix seconds) is what ages count back from.

        Raises BadFilterError.
        """
        alternatives: list[list[str]] = [[]]
        tokens = WORD.findall(text)
        for token in tokens:
            if token.lower() == OR:
                alternatives.append([])
            else:
                alternatives[-1].append(token.replace('"', ""))
        if len(alternatives) > 1 and not all(alternatives):
            raise BadFilterError(f'"{OR}" needs a filter on both sides; quote it to search for it')
        parsed = tuple(self._alternative(words, now) for words in alternatives)
        return EventFilter(self.system, text, parsed)

    def _alternative(self, tokens: Sequence[str], now: float) -> Alternative:
        words = tuple(self._word(token) for token in tokens)
        bounds, kinds = Bounds(), None
        for word in words:
            if word.field.bounds is not None:
                bounds = bounds.intersection(word.field.bounds(word.value, now))
            if word.field.values is Values.KINDS and not word.negated:
                named = frozenset(kind for kind in self.system.kinds if kind.name == word.value)
                kinds = named if kinds is None else kinds & named
        return Alternative(words, bounds, kinds)

    def _word(self, token: str) -> Word:
        negated = token.startswith("-") and len(token) > 1
        body = token[1:] if negated else token
        name, colon, value = body.partition(":")
        field = next((f for f in self.fields if f.name == name and f.is_flag != bool(colon)), None)
        if field is None:
            if colon and name.isalpha():
                there_are = " ".join(f.prefix for f in self.fields)
                raise BadFilterError(f"{name}: is not a field; the fields are {there_are}")
            return Word(TEXT, body.lower(), negated)
        if not field.is_flag and not value:
            raise BadFilterError(f"{name}: needs a value")
        if field.bounds is not None and negated:
            raise BadFilterError(f"-{name}: cannot be negated")
        return Word(field, field.check(value), negated)


def filter_language(system: EventSystem, more: Sequence[FilterField] = ()) -> FilterLanguage:
    """The language for the events of a system, with `more` fields after the usual ones."""
    return FilterLanguage(system, (*fields_of(system), *more))
