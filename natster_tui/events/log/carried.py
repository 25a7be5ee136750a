"""The headers that an event keeps when it is imported into another log.

A server acts on some headers of a message: it rolls a stream up, sets a time to live, or publishes
a trace to a subject that a header names. So of the headers whose names begin with `Nats-`, in any
letter case, only the message id is carried, and `traceparent` is not. Headers with a name that no
client can send are dropped as well. All others are carried with their values unchanged.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

from natster_tui.events.event import MESSAGE_ID, OCCURRED_AT, Record
from natster_tui.events.headers import Headers
from natster_tui.events.times import format_timestamp, parse_occurred_at
from natster_tui.text.counting import counted

NAMES_SHOWN = 5

_SENDABLE = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""The names that clients send and read: tokens of RFC 7230."""


class HeaderFate(Enum):
    """What import does with a header."""

    CARRIED = "carried"
    EXPECTATION = "expectation"
    """An expectation of the original publish, such as `Nats-Expected-Stream`: left out silently."""
    ACTED_ON = "acted on"
    """The server would act on it: left out."""
    UNSENDABLE = "unsendable"
    """Its name cannot be sent: left out."""


@lru_cache(maxsize=1024)
def fate_of(name: str) -> HeaderFate:
    """What import does with a header of this name."""
    if name == MESSAGE_ID:
        return HeaderFate.CARRIED
    if _SENDABLE.fullmatch(name) is None:
        return HeaderFate.UNSENDABLE
    lower = name.lower()
    if lower.startswith("nats-expected-"):
        return HeaderFate.EXPECTATION
    if lower.startswith("nats-") or lower == "traceparent":
        return HeaderFate.ACTED_ON
    return HeaderFate.CARRIED


def imported_headers(record: Record, message_id: str) -> Headers:
    """The headers with which a record is appended to another log.

    They are the message id it gets there, its time (unless a valid `Natster-Occurred-At` has it
    already), and its own headers that are carried.
    """
    kept = [
        pair
        for pair in record.headers
        if pair[0] != MESSAGE_ID and fate_of(pair[0]) is HeaderFate.CARRIED
    ]
    if parse_occurred_at(record.header(OCCURRED_AT)) is None:
        kept = [pair for pair in kept if pair[0] != OCCURRED_AT]
        kept.insert(0, (OCCURRED_AT, format_timestamp(record.time_ns)))
    return ((MESSAGE_ID, message_id), *kept)


@dataclass(slots=True)
class DroppedHeaders:
    """The headers that are not carried, counted by name."""

    acted_on: Counter[str] = field(default_factory=Counter)
    unsendable: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """The number of headers."""
        return self.acted_on.total() + self.unsendable.total()

    def count(self, record: Record) -> None:
        """Count those of one more record."""
        for name, _value in record.headers:
            fate = fate_of(name)
            if fate is HeaderFate.ACTED_ON:
                self.acted_on[name] += 1
            elif fate is HeaderFate.UNSENDABLE:
                self.unsendable[name] += 1

    def sentences(self, verb: str) -> list[str]:
        """What was left out and why; `verb` begins each sentence: "import leaves out"."""
        kinds = (
            (self.acted_on, "that a server would act on"),
            (self.unsendable, "with a name that cannot be sent"),
        )
        return [
            f"{verb} {counted(names.total(), 'header')} {why}: {_listed(names)}"
            for names, why in kinds
            if names
        ]


def _listed(names: Counter[str]) -> str:
    shown = [f"{name!a}" if _SENDABLE.fullmatch(name) is None else name for name in names]
    more = len(shown) - NAMES_SHOWN
    return ", ".join(shown[:NAMES_SHOWN]) + (f" and {more:,} other names" if more > 0 else "")
