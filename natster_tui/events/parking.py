"""The reasons for parking an event, and the tally of parked events.

A parked event changes no state, never blocks what follows, and stays visible.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

RECENT_KEPT = 100
"""How many parked events the checkpoint remembers one by one."""


class ParkReason(StrEnum):
    """The reasons, in the words that the checkpoint and the screen use.

    If several apply, the first in this order counts.
    """

    SUBJECT = "subject"
    MARKER = "marker"
    UNKNOWN_TYPE = "unknown type"
    TOKEN = "token"  # noqa: S105 - a reason for parking, not a secret
    PAYLOAD = "payload"
    ERASED = "erased"

    @property
    def explanation(self) -> str:
        """What the reason means, for a person."""
        return _EXPLANATIONS[self]

    def brief(self, what: str = "") -> str:
        """The reason in a few words, for a row; `what` is the type that is not known."""
        if self is ParkReason.UNKNOWN_TYPE and what:
            return f"unknown: {what}"
        return _BRIEFLY[self]

    @property
    def needed(self) -> str:
        """What to do so that such an event counts, for a person."""
        return _NEEDED[self]


_EXPLANATIONS = {
    ParkReason.SUBJECT: "the subject is not natster.events and four tokens",
    ParkReason.MARKER: "a delete marker: another message expired or was removed; it is no event",
    ParkReason.UNKNOWN_TYPE: "the event type is not one that this version knows",
    ParkReason.TOKEN: "a token cannot be an account or a catalog",
    ParkReason.PAYLOAD: "the payload is not a readable web context",
    ParkReason.ERASED: "the key of the account's data was destroyed on purpose",
}

_BRIEFLY = {
    ParkReason.SUBJECT: "not a subject of the log",
    ParkReason.MARKER: "a delete marker",
    ParkReason.UNKNOWN_TYPE: "unknown type",
    ParkReason.TOKEN: "a token is no name",
    ParkReason.PAYLOAD: "unreadable web context",
    ParkReason.ERASED: "its key was destroyed",
}

_NEEDED = {
    ParkReason.SUBJECT: "nothing can be done about this one; find out who publishes there",
    ParkReason.MARKER: "nothing can be done; look at why the log removes messages",
    ParkReason.UNKNOWN_TYPE: "a later version of this program may know the type",
    ParkReason.TOKEN: "publish it again with names of letters, digits, - _ and = only",
    ParkReason.PAYLOAD: "publish the binding again, with an oauth_id and a bound_context of texts",
    ParkReason.ERASED: "nothing: the data was destroyed on purpose and cannot be read again",
}


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """One parked event: its sequence and the reason."""

    seq: int
    reason: ParkReason


@dataclass(frozen=True, slots=True)
class ParkedTally:
    """How many events were parked, and the last hundred of them, oldest first."""

    count: int = 0
    recent: tuple[ParkedEvent, ...] = ()

    def adding(self, events: list[ParkedEvent]) -> ParkedTally:
        """The tally after these were parked too."""
        if not events:
            return self
        recent = (*self.recent, *events[-RECENT_KEPT:])
        return ParkedTally(self.count + len(events), recent[-RECENT_KEPT:])
