"""The table of the fields that a filter can have."""

from __future__ import annotations

import re

from natster_tui.events.event import Event
from natster_tui.events.filter.bounds import Bounds
from natster_tui.events.filter.field import BadFilterError, FilterField, Look, NameOf, Values
from natster_tui.events.moments import AtSequence, BadMomentError, Moment, Use, parse_moment
from natster_tui.events.parking import ParkReason
from natster_tui.events.system import EventSystem

_RANGE = re.compile(r"(\d{0,19})(\.\.)?(\d{0,19})")
_CUT = "…"
"""Stands in a key as rows show it: `ACB4…GDT`."""


def _holds_text(value: str, look: Look) -> bool:
    subject, event = look.record.subject.lower(), look.event
    if value in subject or (
        _CUT in value and any(_is_cut(value, token) for token in subject.split("."))
    ):
        return True
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
    if key.lower().startswith(wanted) or wanted in name_of(key).lower():
        return True
    return _CUT in wanted and _is_cut(wanted, key.lower())


def _is_cut(wanted: str, text: str) -> bool:
    """Whether a shortened text, as rows print it, can stand for a text; both in lower case."""
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


_MOMENTS = ("15m", "2h", "today", "yesterday", "2d", "7d")
TEXT = FilterField("text", "text", "in the subject or in a name", holds=_holds_text)
FROM = FilterField(
    "from", "from:", "the origin: a name, or how its key begins", Values.ACCOUNTS, _holds_from
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
    set_aside = "events that a projection set aside"
    return (
        FilterField("type", "type:", kinds, Values.KINDS, _holds_type, check=kind_named),
        FROM,
        FilterField("to", "to:", "the target, likewise", Values.ACCOUNTS, _holds_to),
        FilterField("account", "account:", "either of them", Values.ACCOUNTS, _holds_account),
        FilterField("catalog", "catalog:", "a part of its name", Values.CATALOGS, _holds_catalog),
        FilterField("seq", "seq:1..9", "sequences: N, N..M, N.. or ..M", bounds=_sequences),
        FilterField("since", "since:2h", moments, bounds=_since, proposed=_MOMENTS),
        FilterField("until", "until:1h", "up to there, likewise", bounds=_until, proposed=_MOMENTS),
        FilterField("parked", "parked", set_aside, holds=_holds_parked, is_flag=True),
    )
