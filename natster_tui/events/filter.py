"""Filters for events: the fields there are, the grammar, and whether an event passes.

Words separated by blanks, all of which must hold. A word that begins with `-` must not hold. A
word that names none of the fields is free text. What stands in double quotes is one word, blanks
and all. What a field takes says its entry in the table of a `FilterLanguage`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from natster_tui.events.event import Event, Record
from natster_tui.events.kinds import EventKind
from natster_tui.events.moments import AtSequence, BadMomentError, Moment, Use, parse_moment
from natster_tui.events.parking import ParkReason
from natster_tui.events.system import EventSystem
from natster_tui.events.tokens import is_usable_token

NameOf = Callable[[str], str]
"""An account's name for its key; the key itself if it has none."""

ParkedReason = Callable[[Event], str]
"""Why an event is parked; empty if it is not."""

_RANGE = re.compile(r"(\d{0,19})(\.\.)?(\d{0,19})")
_COMPLETIONS = 20


class BadFilterError(ValueError):
    """A filter that means nothing; the text says what is wrong with it."""


@dataclass(slots=True)
class Look:
    """A record that a filter looks at, and how it learns names and why an event is parked.

    Not frozen, which would cost more than the looking.
    """

    record: Record
    event: Event | ParkReason
    name_of: NameOf
    parked: ParkedReason


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which records can pass: sequences, and event times in unix seconds. None: no bound."""

    first: int = 1
    last: int | None = None
    since: int | None = None
    until: int | None = None

    def within(self, other: Bounds) -> Bounds:
        """What lies within both."""
        lasts = [last for last in (self.last, other.last) if last is not None]
        begins = [since for since in (self.since, other.since) if since is not None]
        ends = [until for until in (self.until, other.until) if until is not None]
        return Bounds(
            max(self.first, other.first),
            min(lasts, default=None),
            max(begins, default=None),
            min(ends, default=None),
        )


class Values(Enum):
    """What the values of a field are, which decides how they are completed."""

    ANY = "any text"
    KINDS = "kinds of events"
    ACCOUNTS = "accounts"
    CATALOGS = "catalogs"


@dataclass(frozen=True, slots=True)
class FilterField:
    """One field of the filter language.

    `example` is how the help shows it, `meaning` what is said of it there. Either `holds` decides
    whether a record passes, given the value, or `bounds` turns the value and the present time
    (unix seconds) into bounds, which cannot be negated. Both may raise BadFilterError, `holds`
    through `check` only, which gives the value as it is kept. A flag takes no value.
    """

    name: str
    example: str
    meaning: str
    values: Values = Values.ANY
    holds: Callable[[str, Look], bool] | None = None
    bounds: Callable[[str, float], Bounds] | None = None
    check: Callable[[str], str] = str
    is_flag: bool = False

    @property
    def prefix(self) -> str:
        """How a word that uses the field begins."""
        return self.name if self.is_flag else f"{self.name}:"


@dataclass(frozen=True, slots=True)
class Word:
    """One condition of a filter."""

    field: FilterField
    value: str
    negated: bool = False


@dataclass(frozen=True)
class EventFilter:
    """A parsed filter. `text` is what was typed, `kinds` the kinds that may pass (None: all)."""

    system: EventSystem
    text: str
    words: tuple[Word, ...]
    bounds: Bounds
    kinds: frozenset[EventKind] | None = None

    @property
    def first(self) -> int:
        """The first sequence that can pass."""
        return self.bounds.first

    @property
    def last(self) -> int | None:
        """The last sequence that can pass, or None."""
        return self.bounds.last

    def passes(self, record: Record, name_of: NameOf, parked: ParkedReason) -> bool:
        """Whether a record passes every word."""
        bounds = self.bounds
        if record.seq < bounds.first or (bounds.last is not None and record.seq > bounds.last):
            return False
        if bounds.since is not None and record.event_time < bounds.since:
            return False
        if bounds.until is not None and record.event_time > bounds.until:
            return False
        look = Look(record, self.system.read(record), name_of, parked)
        return all(
            word.field.holds is None or word.field.holds(word.value, look) != word.negated
            for word in self.words
        )

    @property
    def asks_for_names(self) -> bool:
        """Whether any word may be about an account's name."""
        return any(
            word.field is _TEXT or word.field.values is Values.ACCOUNTS for word in self.words
        )

    @property
    def subject_filter(self) -> str:
        """One wildcard filter for the server that leaves out nothing that passes; "" if none.

        A word narrows only where it names a whole token: names and beginnings of keys do not.
        """
        for word in self.words:
            whole = len(word.value) == _KEY_LENGTH and is_usable_token(word.value)
            if word.field is _FROM and whole and not word.negated:
                return self.system.of_origin(word.value)
        if self.kinds is not None and len(self.kinds) == 1:
            (kind,) = self.kinds
            if kind.has_target and kind.has_catalog:
                # Other kinds count whatever their unused tokens are, even a literal ">".
                return self.system.subject(event=kind.name)
        return ""


_KEY_LENGTH = 56
_WORD = re.compile(r'(?:[^\s"]|"[^"]*"?)+')


@dataclass(frozen=True)
class FilterLanguage:
    """What a filter can say of a system's events."""

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
        words = tuple(self._word(token.replace('"', "")) for token in _WORD.findall(text))
        bounds, kinds = Bounds(), None
        for word in words:
            if word.field.bounds is not None:
                bounds = bounds.within(word.field.bounds(word.value, now))
            if word.field.values is Values.KINDS and not word.negated:
                meant = frozenset(kind for kind in self.system.kinds if kind.name == word.value)
                kinds = meant if kinds is None else kinds & meant
        return EventFilter(self.system, text, words, bounds, kinds)

    def _word(self, token: str) -> Word:
        negated = token.startswith("-") and len(token) > 1
        body = token[1:] if negated else token
        name, colon, value = body.partition(":")
        field = next((f for f in self.fields if f.name == name and f.is_flag != bool(colon)), None)
        if field is None:
            if colon and name.isalpha():
                there_are = " ".join(f.prefix for f in self.fields)
                raise BadFilterError(f"{name}: is no field; there are {there_are}")
            return Word(_TEXT, body.lower(), negated)
        if not field.is_flag and not value:
            raise BadFilterError(f"{name}: needs a value")
        if field.bounds is not None and negated:
            raise BadFilterError(f"-{name}: cannot be negated")
        return Word(field, field.check(value), negated)

    def completions(self, text: str, names: Callable[[Values], list[str]]) -> list[str]:
        """Ways to go on from what is typed: fields, kinds, and the names that a field may have.

        `names` gives those of accounts and catalogs. What is typed stays as it is.
        """
        token = next(iter(re.findall(_WORD.pattern + "$", text)), "")
        name, colon, value = token.partition(":")
        if not colon:
            prefixes = [field.prefix for field in self.fields]
            return [f"{text}{p[len(token) :]}" for p in prefixes if token and p.startswith(token)]
        field = next((f for f in self.fields if f.name == name and not f.is_flag), None)
        if field is None or field.values is Values.ANY:
            return []
        of_kinds = field.values is Values.KINDS
        options = [kind.word for kind in self.system.kinds] if of_kinds else names(field.values)
        typed = value.removeprefix('"')
        found = [
            option[len(typed) :]
            for option in options
            if option.lower().startswith(typed.lower())
            and '"' not in option
            and option.isprintable()
        ][:_COMPLETIONS]
        if typed != value:
            return [f'{text}{rest}"' for rest in found]
        # A name is quoted from its first blank on: nothing that stands there already changes.
        return [text + re.sub(r"( .*)", r'"\1"', rest) for rest in found]


def _holds_text(value: str, look: Look) -> bool:
    if value in look.record.subject.lower():
        return True
    event = look.event
    return isinstance(event, Event) and any(
        value in look.name_of(key).lower() for key in (event.origin, event.target)
    )


def _holds_type(value: str, look: Look) -> bool:
    return isinstance(look.event, Event) and look.event.kind.name == value


def _holds_from(value: str, look: Look) -> bool:
    return isinstance(look.event, Event) and _names(value, look.event.origin, look.name_of)


def _holds_to(value: str, look: Look) -> bool:
    event = look.event
    return (
        isinstance(event, Event)
        and event.kind.has_target
        and _names(value, event.target, look.name_of)
    )


def _holds_account(value: str, look: Look) -> bool:
    return _holds_from(value, look) or _holds_to(value, look)


def _holds_catalog(value: str, look: Look) -> bool:
    event = look.event
    return (
        isinstance(event, Event)
        and event.kind.has_catalog
        and value.lower() in event.catalog.lower()
    )


def _holds_parked(_value: str, look: Look) -> bool:
    return isinstance(look.event, ParkReason) or bool(look.parked(look.event))


def _names(value: str, key: str, name_of: NameOf) -> bool:
    wanted = value.lower()
    return key.lower().startswith(wanted) or wanted in name_of(key).lower()


def _sequences(value: str, _now: float) -> Bounds:
    match = _RANGE.fullmatch(value)
    if match is None or not (match[1] or match[3]):
        raise BadFilterError(f"seq:{value} is not N, N..M, N.. or ..M")
    low, dots, high = match.groups()
    if dots is None:
        return Bounds(int(value), int(value))
    if low and high and int(high) < int(low):
        raise BadFilterError(f"seq:{value} ends before it begins")
    return Bounds(int(low or 1), int(high) if high else None)


def _moment(field: str, value: str, now: float, use: Use) -> Moment:
    try:
        return parse_moment(value, now, use)
    except BadMomentError as error:
        raise BadFilterError(f"{field}: {error}") from error


def since_bounds(moment: Moment) -> Bounds:
    """What lies at a moment or after it."""
    if isinstance(moment, AtSequence):
        return Bounds(first=max(1, moment.seq))
    return Bounds(since=moment.seconds)


def _since(value: str, now: float) -> Bounds:
    return since_bounds(_moment("since", value, now, Use.SINCE))


def _until(value: str, now: float) -> Bounds:
    moment = _moment("until", value, now, Use.UNTIL)
    if isinstance(moment, AtSequence):
        return Bounds(last=moment.seq)
    return Bounds(until=moment.seconds)


_TEXT = FilterField("text", "text", "in the subject or in a name", holds=_holds_text)
_FROM = FilterField(
    "from", "from:", "the origin: a name, or how its key begins", Values.ACCOUNTS, _holds_from
)


def filter_language(system: EventSystem, more: Sequence[FilterField] = ()) -> FilterLanguage:
    """The language for the events of a system, with more fields of one's own if there are any."""

    def kind_named(value: str) -> str:
        for kind in system.kinds:
            if value.lower() in (kind.name, kind.word):
                return kind.name
        words = ", ".join(kind.word for kind in system.kinds)
        raise BadFilterError(f"type:{value} is none of {words}")

    kind_words = ", ".join(kind.word for kind in system.kinds)
    return FilterLanguage(
        system,
        (
            FilterField(
                "type",
                "type:",
                f"the kind: {kind_words}",
                Values.KINDS,
                _holds_type,
                check=kind_named,
            ),
            _FROM,
            FilterField("to", "to:", "the target, likewise", Values.ACCOUNTS, _holds_to),
            FilterField("account", "account:", "either of them", Values.ACCOUNTS, _holds_account),
            FilterField(
                "catalog", "catalog:", "a part of its name", Values.CATALOGS, _holds_catalog
            ),
            FilterField("seq", "seq:1..9", "sequences: N, N..M, N.. or ..M", bounds=_sequences),
            FilterField(
                "since",
                "since:2h",
                "from there on: 15m, 2d, yesterday, 09:30, a date",
                bounds=_since,
            ),
            FilterField("until", "until:1h", "up to there, likewise", bounds=_until),
            FilterField(
                "parked",
                "parked",
                "events that a projection set aside",
                holds=_holds_parked,
                is_flag=True,
            ),
            *more,
        ),
    )
