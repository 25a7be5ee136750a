"""How commands print accounts, events and times on a line."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

import click

from natster_tui.events.event import Record
from natster_tui.events.natster import NATSTER
from natster_tui.events.parking import ParkReason
from natster_tui.events.times import ago, format_seconds
from natster_tui.projections.projection_sentences import Naming, event_phrase, short_key
from natster_tui.projections.registering.registry import parked_reason
from natster_tui.text.masking import screen_text

_NAME = 40
_PLAIN = str.maketrans({"→": "->", "←": "<-", "…": "..."})


@dataclass(frozen=True, slots=True)
class NamesAndKeys:
    """Accounts by name and short key, because two accounts may have the same name."""

    names: Mapping[str, str]

    def of(self, key: str) -> str:
        """`Ada Lovelace (ACB4…GDT)`, or the short key alone."""
        name = screen_text(self.names.get(key) or "", _NAME)
        return f"{name} ({short_key(key)})" if name else short_key(key)


class WholeKeys:
    """Accounts by their whole keys."""

    def of(self, key: str) -> str:
        """The key."""
        return screen_text(key, 100)


takes_keys = click.option(
    "--keys", "whole_keys", is_flag=True, help="Print whole keys instead of names."
)


def naming(names: Mapping[str, str], *, whole_keys: bool) -> Naming:
    """How accounts are named in lines."""
    return WholeKeys() if whole_keys else NamesAndKeys(names)


def event_line(record: Record, names: Naming) -> str:
    """A record as one line."""
    event = NATSTER.read(record)
    begin = f"{record.seq}  {time_and_age(record.event_time)}  "
    if isinstance(event, ParkReason):
        return f"{begin}parked ({event.value})  {screen_text(record.subject, 300)}"
    words = [event.kind.word, *(word for word in event_phrase(event, names) if word)]
    if reason := parked_reason(event):
        words.append(f"(parked: {reason})")
    return begin + for_output(" ".join(words))


def time_and_age(seconds: int) -> str:
    """`2026-11-23 03:14:06 (6d ago)`, in UTC."""
    return f"{format_seconds(seconds)} ({ago(time.time() - seconds)})"


def for_output(line: str) -> str:
    """The line, with ASCII arrows if the output cannot encode others."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    return line if "utf" in encoding.lower() else line.translate(_PLAIN)
