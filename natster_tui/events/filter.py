"""Filters for events: the grammar, and whether an event passes.

Words separated by blanks, all of which must hold: `type:` `from:` `to:` `account:` `catalog:`
`seq:` `since:` `parked`, and free text. A word that begins with `-` must not
hold. Values match as beginnings of keys and as parts of names, without regard to letter case;
`type:` takes the short names (`shared`) and the full ones (`catalog_shared`); `seq:` takes
`N`, `N..M`, `N..` and `..M`; `since:` a time, or an age such as `90s`, `15m`, `2h` or `3d`. What
stands in double quotes is one word, blanks and all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from natster_tui.events.event import (
    CATALOG_TYPES,
    SUBJECT_PREFIX,
    Event,
    Record,
    is_usable_token,
    read_event,
)
from natster_tui.events.kinds import KINDS, EventType
from natster_tui.events.parking import ParkReason
from natster_tui.events.times import parse_timestamp

FIELDS = ("type:", "from:", "to:", "account:", "catalog:", "seq:", "since:", "parked")

NameOf = Callable[[str], str]
"""An account's name for its key; the key itself if it has none."""

ParkedReason = Callable[[Event], str]
"""Why an event is parked; empty if it is not."""

_AGE = re.compile(r"(\d{1,9})([smhd])")
_AGE_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_RANGE = re.compile(r"(\d{0,19})(\.\.)?(\d{0,19})")
_WORDS = [kind.word for kind in KINDS]
_TYPE_NAMES = {name: kind.type for kind in KINDS for name in (kind.name, kind.word)}


class BadFilterError(ValueError):
    """A filter that means nothing; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Word:
    """One condition of a filter."""

    field: str
    value: str
    negated: bool = False


@dataclass(frozen=True)
class EventFilter:
    """A parsed filter. `text` is what was typed; `first` and `last` bound the sequences."""

    text: str
    words: tuple[Word, ...]
    types: frozenset[EventType] | None
    first: int
    last: int | None
    since: int | None

    def passes(self, record: Record, name_of: NameOf, parked: ParkedReason) -> bool:
        """Whether a record passes every word."""
        if record.seq < self.first or (self.last is not None and record.seq > self.last):
            return False
        if self.since is not None and record.event_time < self.since:
            return False
        event = read_event(record)
        return all(
            _holds(word, record, event, name_of, parked) != word.negated for word in self.words
        )

    @property
    def asks_for_names(self) -> bool:
        """Whether any word may be about an account's name."""
        return any(word.field in ("from", "to", "account", "text") for word in self.words)

    @property
    def subject_filter(self) -> str:
        """One wildcard filter for the server that leaves out nothing that passes; "" if none.

        A word narrows only where it names a whole token: names and beginnings of keys do not.
        """
        for word in self.words:
            if word.negated:
                continue
            whole = is_usable_token(word.value)
            if word.field == "from" and whole and len(word.value) == _KEY_LENGTH:
                return f"{SUBJECT_PREFIX}{word.value}.>"
        if self.types is not None and len(self.types) == 1:
            (kind,) = self.types
            if kind in CATALOG_TYPES:
                # Other types count whatever their unused tokens are, even a literal ">".
                return f"{SUBJECT_PREFIX}*.*.*.{kind.value}"
        return ""


_KEY_LENGTH = 56
_WORD = re.compile(r'(?:[^\s"]|"[^"]*"?)+')


def parse_filter(text: str, now: float) -> EventFilter:
    """The filter that a text means; `now` (unix seconds) is what ages count back from.

    Raises BadFilterError.
    """
    words: list[Word] = []
    types: frozenset[EventType] | None = None
    first, last, since = 1, None, None
    for token in (found.replace('"', "") for found in _WORD.findall(text)):
        negated = token.startswith("-") and len(token) > 1
        body = token[1:] if negated else token
        field, colon, value = body.partition(":")
        if body == "parked":
            words.append(Word("parked", "", negated))
        elif colon and field.isalpha() and f"{field}:" not in FIELDS:
            raise BadFilterError(f"{field}: is no field; there are {' '.join(FIELDS)}")
        elif not colon or f"{field}:" not in FIELDS:
            words.append(Word("text", body.lower(), negated))
        elif not value:
            raise BadFilterError(f"{field}: needs a value")
        elif field == "type":
            kind = _TYPE_NAMES.get(value.lower())
            if kind is None:
                raise BadFilterError(f"type:{value} is none of {', '.join(_WORDS)}")
            words.append(Word("type", kind.value, negated))
            if not negated:
                types = frozenset({kind}) if types is None else types & {kind}
        elif field == "seq" and not negated:
            first, last = _range(value)
        elif field == "since" and not negated:
            since = parse_since(value, now)
        elif field in ("seq", "since"):
            raise BadFilterError(f"-{field}: cannot be turned round")
        else:
            words.append(Word(field, value, negated))
    return EventFilter(text, tuple(words), types, first, last, since)


def _range(value: str) -> tuple[int, int | None]:
    match = _RANGE.fullmatch(value)
    if match is None or not (match[1] or match[3]):
        raise BadFilterError(f"seq:{value} is not N, N..M, N.. or ..M")
    low, dots, high = match.groups()
    if dots is None:
        return int(value), int(value)
    if low and high and int(high) < int(low):
        raise BadFilterError(f"seq:{value} ends before it begins")
    return int(low or 1), int(high) if high else None


def parse_since(value: str, now: float) -> int:
    """A time, or an age before `now` (unix seconds), as unix seconds; raises BadFilterError."""
    if age := _AGE.fullmatch(value):
        return int(now) - int(age[1]) * _AGE_SECONDS[age[2]]
    time_ns = parse_timestamp(completed_time(value))
    if time_ns is None:
        raise BadFilterError(f"since:{value} is neither a time like 2026-11-23 nor an age like 2h")
    return time_ns // 1_000_000_000


def completed_time(text: str) -> str:
    """A time as people write it (UTC unless it says otherwise) in the form that is parsed."""
    text = text.strip().replace(" ", "T")
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        text += "T00:00:00"
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d", text):
        text += ":00"
    if not text.endswith("Z") and not re.search(r"[+-]\d\d:\d\d$", text):
        text += "Z"
    return text


def _holds(
    word: Word, record: Record, event: Event | ParkReason, name_of: NameOf, parked: ParkedReason
) -> bool:
    if word.field == "parked":
        return isinstance(event, ParkReason) or bool(parked(event))
    if word.field == "text":
        if word.value in record.subject.lower():
            return True
        return not isinstance(event, ParkReason) and any(
            word.value in name_of(key).lower() for key in (event.origin, event.target)
        )
    if isinstance(event, ParkReason):
        return False
    match word.field:
        case "type":
            return event.type.value == word.value
        case "from":
            return _names(word.value, event.origin, name_of)
        case "to":
            return event.type in CATALOG_TYPES and _names(word.value, event.target, name_of)
        case "account":
            return _names(word.value, event.origin, name_of) or (
                event.type in CATALOG_TYPES and _names(word.value, event.target, name_of)
            )
        case _:
            return event.type in CATALOG_TYPES and word.value.lower() in event.catalog.lower()


def _names(value: str, key: str, name_of: NameOf) -> bool:
    wanted = value.lower()
    return key.lower().startswith(wanted) or wanted in name_of(key).lower()


def completions(text: str, names: Callable[[str], list[str]]) -> list[str]:
    """Ways to go on from what is typed: fields, types, and the names that a field may have.

    `names` gives those for a field. What is typed stays as it is.
    """
    token = next(iter(re.findall(_WORD.pattern + "$", text)), "")
    field, colon, value = token.partition(":")
    if not colon:
        return [
            f"{text}{name[len(token) :]}" for name in FIELDS if token and name.startswith(token)
        ]
    if field == "type":
        options = _WORDS
    elif field in ("from", "to", "account", "catalog"):
        options = names(field)
    else:
        return []
    typed = value.removeprefix('"')
    found = [
        option[len(typed) :]
        for option in options
        if option.lower().startswith(typed.lower()) and '"' not in option and option.isprintable()
    ]
    if typed != value:
        return [f'{text}{rest}"' for rest in found[:20]]
    # A name is quoted from its first blank on: nothing that stands there already changes.
    return [text + re.sub(r"( .*)", r'"\1"', rest) for rest in found[:20]]
