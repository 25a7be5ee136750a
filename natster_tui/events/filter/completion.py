"""Completion of a filter: the list below it while it is typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from natster_tui.events.filter.filter_field import FilterField, Values
from natster_tui.events.filter.language import WORD, FilterLanguage

LISTED = 20
_PLAIN = re.compile(r'[^\s"]+')


@dataclass(frozen=True, slots=True)
class Value:
    """A value that a field may have, and its meaning.

    A key (`is_key`) is found by its beginning only: any two letters occur inside most keys.
    """

    text: str
    meaning: str = ""
    is_key: bool = False


@dataclass(frozen=True, slots=True)
class Completion:
    """One completion: `text` is the whole filter with it, `word` its last word."""

    text: str
    word: str
    meaning: str = ""


NamedValues = Callable[[Values], Iterable[Value]]
"""The accounts and catalogs that a field may name."""


def completions(language: FilterLanguage, text: str, named: NamedValues) -> list[Completion]:
    """The completions of the last word, the likeliest first."""
    *_, token = "", *(word[0] for word in WORD.finditer(text) if word.end() == len(text))
    before = text[: len(text) - len(token)]
    minus = "-" if token.startswith("-") else ""
    name, colon, value = token.removeprefix("-").partition(":")
    if colon:
        field = next((f for f in language.fields if f.name == name and not f.is_flag), None)
        ways = [] if field is None else _values(language, field, value.replace('"', ""), named)
    else:
        ways = _fields(language, name, negated=bool(minus))
    return [
        Completion(f"{before}{minus}{each.text}", f"{minus}{each.text}", each.meaning)
        for each in ways
        # A word that is complete already needs no completion.
        if f"{minus}{each.text}" != token
    ]


def _fields(language: FilterLanguage, typed: str, *, negated: bool) -> list[Value]:
    return [
        Value(field.prefix, field.meaning)
        for field in language.fields
        if field.prefix.startswith(typed.lower()) and not (negated and field.bounds is not None)
    ]


def _values(
    language: FilterLanguage, field: FilterField, typed: str, named: NamedValues
) -> list[Value]:
    options: Iterable[Value]
    match field.values:
        case Values.KINDS:
            options = (Value(kind.word, kind.meaning) for kind in language.system.kinds)
        case Values.ANY:
            options = map(Value, field.proposed)
        case Values.ACCOUNTS | Values.CATALOGS:
            options = named(field.values)
    return [
        Value(f"{field.prefix}{_quoted(option.text)}", option.meaning)
        for option in _matching(options, typed.lower())
    ]


def _matching(options: Iterable[Value], typed: str) -> Iterator[Value]:
    """The options that begin with the text, then those that contain it, LISTED at most."""
    beginning: dict[str, Value] = {}
    holding: dict[str, Value] = {}
    for option in options:
        at = option.text.lower().find(typed)
        if at < 0 or (at and option.is_key) or '"' in option.text or not option.text.isprintable():
            continue
        found = holding if at else beginning
        if option.text in found:
            found[option.text] = Value(option.text, "several have this name")
        elif len(found) < LISTED:
            found[option.text] = option
        if len(beginning) == LISTED:
            break
    return islice(chain(beginning.values(), holding.values()), LISTED)


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else f'"{text}"'
