"""The table of the fields that a filter can have."""

from __future__ import annotations

import re

from natster_tui.events.event import Event
from natster_tui.events.filter.bounds import Bounds
from natster_tui.events.filter.filter_field import (
    BadFilterError,
    Candidate,
    FilterField,
    NameOf,
    Values,
)
from natster_tui.events.moments import AtSequence, BadMomentError, Moment, Use, parse_moment
from natster_tui.events.parking import ParkReason
from natster_tui.events.system import EventSystem

_RANGE = re.compile(r"(\d{0,19})(\.\.)?(\d{0,19})")
_CUT = "…"
"""The mark of a shortened key, as rows show it: `ACB4…GDT`."""


def _matches_text(value: str, candidate: Candidate) -> bool:
    subject, event = candidate.record.subject.lower(), candidate.event
    if value in subject or (
        _CUT in value and any(_is_cut(value, token) for token in subject.split("."))
    ):
        return True
    return isinstance(event, Event) and any(
        value in candidate.name_of(key).lower() for key in (event.origin, event.target)
    )


def _matches_type(value: str, candidate: Candidate) -> bool:
    return isinstance(candidate.event, Event) and candidate.event.kind.name == value


def _matches_from(value: str, candidate: Candidate) -> bool:
    return isinstance(candidate.event, Event) and _names(
        value, candidate.event.origin, candidate.name_of
    )


def _matches_to(value: str, candidate: Candidate) -> bool:
    event = candidate.event
    return (
        isinstance(event, Event)
        and event.kind.has_target
        and _names(value, event.target, candidate.name_of)
    )


def _matches_account(value: str, candidate: Candidate) -> bool:
    return _matches_from(value, candidate) or _matches_to(value, candidate)


def _matches_catalog(value: str, candidate: Candidate) -> bool:
    event = candidate.event
    return (
        isinstance(event, Event)
        and event.kind.has_catalog
        and value.lower() in event.catalog.lower()
    )


_LEAST_OF_KEY = 4
"""A shorter word behind a name is a part of a name, not the beginning of a key."""


def _matches_parked(_value: str, candidate: Candidate) -> bool:
    return isinstance(candidate.event, ParkReason) or bool(candidate.parked(candidate.event))


def _names(value: str, key: str, name_of: NameOf) -> bool:
    wanted, whole, name = value.lower(), key.lower(), name_of(key).lower()
    if whole.startswith(wanted) or wanted in name:
        return True
    # Of several accounts with one name, screen and lines give the key, too: `Anna (ABBB…BBB)`.
    named, _, with_key = wanted.rpartition(" ")
    shown = with_key.strip("()")
    if named and named == name and len(shown) >= _LEAST_OF_KEY and whole.startswith(shown):
        return True
    if _CUT not in shown or named not in ("", name):
        return False
    return _is_cut(shown, whole)


def _is_cut(wanted: str, text: str) -> bool:
    """Whether `wanted` is `text` as rows shorten it; both in lower case."""
    begin, _, end = wanted.partition(_CUT)
    return len(begin) + len(end) < len(text) and text.startswith(begin) and text.endswith(end)


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
    """The bounds of what happened at a moment or after it."""
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


_MOMENTS = ("15m", "2h", "today", "yesterday", "2d", "7d")
TEXT = FilterField("text", "text", "in the subject or in a name", matches=_matches_text)
FROM = FilterField(
    "from", "from:", "the origin: a name, or how its key begins", Values.ACCOUNTS, _matches_from
)


def fields_of(system: EventSystem) -> tuple[FilterField, ...]:
    """The fields for the events of a system."""

    def kind_named(value: str) -> str:
        for kind in system.kinds:
            if value.lower() in (kind.name, kind.word):
                return kind.name
        words = ", ".join(kind.word for kind in system.kinds)
        raise BadFilterError(f"type:{value} is none of {words}")

    kind_words = ", ".join(kind.word for kind in system.kinds)
    kinds = f"the kind: {kind_words}"
    moments = "from there on: 15m, 2d, yesterday, 09:30, a date"
    set_aside = "events that a projection parked"
    return (
        FilterField("type", "type:", kinds, Values.KINDS, _matches_type, check=kind_named),
        FROM,
        FilterField("to", "to:", "the target, likewise", Values.ACCOUNTS, _matches_to),
        FilterField("account", "account:", "either of them", Values.ACCOUNTS, _matches_account),
        FilterField("catalog", "catalog:", "a part of its name", Values.CATALOGS, _matches_catalog),
        FilterField("seq", "seq:1..9", "sequences: N, N..M, N.. or ..M", bounds=_sequences),
        FilterField("since", "since:2h", moments, bounds=_since, proposed=_MOMENTS),
        FilterField("until", "until:1h", "up to there, likewise", bounds=_until, proposed=_MOMENTS),
        FilterField("parked", "parked", set_aside, matches=_matches_parked, is_flag=True),
    )
