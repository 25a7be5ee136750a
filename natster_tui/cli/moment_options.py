"""Moments on the command line: `--at`, `--since`, `--from` and `--to`."""

from __future__ import annotations

import time
from dataclasses import dataclass

from natster_tui.cli.messages import say
from natster_tui.engine.log.sequence_at import sequence_at
from natster_tui.errors import UsageError
from natster_tui.events.moments import AtSequence, BadMomentError, Moment, Use, parse_moment
from natster_tui.events.times import format_seconds
from natster_tui.store.log import EventLog
from natster_tui.text.masking import screen_text

AT_HELP = "As of this moment: 4711, 2026-11-23, 09:30, yesterday, 2d (times are UTC)."
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Position:
    """The sequence of a moment; `note` says that the moment is outside the log, if it is."""

    seq: int
    note: str = ""

    def print_note(self) -> None:
        """Print the note on stderr."""
        if self.note:
            say(self.note)


@dataclass(frozen=True, slots=True)
class MomentOption:
    """The moment that an option names; `shown` is the option as it was typed."""

    shown: str
    moment: Moment


def moment_option(option: str, text: str, use: Use = Use.AT) -> MomentOption:
    """Parse an option's value. Raises UsageError, which lists the accepted forms."""
    try:
        moment = parse_moment(text, time.time(), use)
    except BadMomentError as error:
        raise UsageError(f"{option}: {error}") from error
    return MomentOption(f"{option} {screen_text(text, _SHOWN)}", moment)


def at_option(text: str | None) -> MomentOption | None:
    """Parse the value of `--at`; None if it was not given."""
    return None if text is None else moment_option("--at", text)


def since_option(text: str | None) -> MomentOption | None:
    """Parse the value of `--since`, in which sequences begin at 1; None if it was not given."""
    if text is None:
        return None
    found = moment_option("--since", text, Use.SINCE)
    if found.moment == AtSequence(0):
        raise UsageError("--since 0: sequences begin at 1")
    return found


async def position_of(log: EventLog, at: MomentOption | None, instance: str) -> Position:
    """The sequence of the last event at or before a moment; the head for None.

    A moment after the last event gives the head, and one before the first event gives 0, both with
    a note that says so.
    """
    head = (await log.refresh()).last_seq
    if at is None:
        return Position(head)
    moment = at.moment
    if isinstance(moment, AtSequence):
        if moment.seq > head:
            return Position(
                head, f"{at.shown}: the log ends at {head:,}, so this is as of {head:,}"
            )
        return Position(moment.seq)
    when = format_seconds(moment.seconds)
    if moment.seconds > time.time():
        return Position(head, f"{at.shown}: {when} UTC is in the future, so this is as of {head:,}")
    seq = await sequence_at(log, moment.seconds, instance)
    note = f"{at.shown}: {when} UTC is before the first event" if head and not seq else ""
    return Position(seq, note)


async def first_since(log: EventLog, since: MomentOption | None, instance: str) -> Position:
    """The first sequence at or after `--since`: past the head if there is none, 1 for None."""
    if since is None:
        return Position(1)
    head = (await log.refresh()).last_seq
    moment = since.moment
    if isinstance(moment, AtSequence):
        note = f"{since.shown}: the log ends at {head:,}" if moment.seq > head else ""
        return Position(moment.seq, note)
    return Position(await sequence_at(log, moment.seconds - 1, instance) + 1)
