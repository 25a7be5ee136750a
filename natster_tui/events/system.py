"""An event system: the name of the stream, the grammar of its subjects, and the kinds of events.

It is one value that is passed to all code that reads or writes the log, so that the same program
can show the log of another system.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from natster_tui.events.event import Event, Record
from natster_tui.events.event_kind import EventKind, PayloadUse
from natster_tui.events.parking import ParkReason
from natster_tui.events.tokens import NONE, is_usable_token, known_tokens, same_token

_ROLES = ("{origin}", "{target}", "{catalog}", "{event}")
_FORM = re.compile(r"(?:[a-z0-9_-]+\.)+\{origin\}(?:\.\{target\})?(?:\.\{catalog\})?\.\{event\}")


@dataclass(frozen=True)
class EventSystem:
    """A log's stream, subjects and kinds of events.

    `stream` is its name. `grammar` says how subjects are made: fixed tokens first, then one for
    each of `{origin}`, `{target}`, `{catalog}` and `{event}`; target and catalog may be left out.
    Raises ValueError for a grammar of another form, for kinds that use what it leaves out, and
    for names or words that two kinds have.
    """

    stream: str
    grammar: str
    kinds: tuple[EventKind, ...]

    def __post_init__(self) -> None:
        if _FORM.fullmatch(self.grammar) is None:
            raise ValueError(f"not a form of subjects: {self.grammar}")
        names = [name for kind in self.kinds for name in {kind.name, kind.word}]
        if len(set(names)) < len(names):
            raise ValueError("two kinds have one name or word")
        for kind in self.kinds:
            if (kind.has_target and "{target}" not in self.grammar) or (
                kind.has_catalog and "{catalog}" not in self.grammar
            ):
                raise ValueError(f"subjects have no token for what {kind.name} uses")

    @cached_property
    def prefix(self) -> str:
        """The beginning of all subjects of the log, including the dot."""
        return self.grammar[: self.grammar.index("{")]

    @cached_property
    def subjects(self) -> str:
        """The subjects that the stream is made for, as one wildcard."""
        return self.subject()

    def subject(
        self, *, origin: str = "*", target: str = "*", catalog: str = "*", event: str = "*"
    ) -> str:
        """The subject with these tokens, or the wildcard that leaves some of them open."""
        given = dict(zip(_ROLES, (origin, target, catalog, event), strict=True))
        return ".".join(given.get(token, token) for token in self.grammar.split("."))

    def subject_of(
        self, event: StrEnum, origin: str, target: str = NONE, catalog: str = NONE
    ) -> str:
        """The subject that an event is published on."""
        return self.subject(origin=origin, target=target, catalog=catalog, event=event.value)

    def of_origin(self, origin: str) -> str:
        """The wildcard for all events of an origin, whatever the other tokens are.

        It ends in `>`: a stored subject may hold a literal `>` as a token, which `*` leaves out.
        """
        return f"{self.prefix}{origin}.>"

    def has_subject(self, subject: str) -> bool:
        """Whether a subject is one that the log is made for."""
        tokens = subject.split(".")
        return (
            subject.startswith(self.prefix)
            and len(tokens) == len(self.grammar.split("."))
            and all(tokens)
        )

    def tokens_of(self, subject: str) -> dict[str, str]:
        """The origin, target, catalog and event in a subject; empty for a foreign subject.

        A role that subjects do not have reads as `none`.
        """
        if not self.has_subject(subject):
            return {}
        named = zip(self.grammar.split("."), subject.split("."), strict=True)
        found = {role.strip("{}"): token for role, token in named if role in _ROLES}
        return {role.strip("{}"): found.get(role.strip("{}"), NONE) for role in _ROLES}

    def kind_of(self, event_type: StrEnum) -> EventKind:
        """The entry of a type; raises KeyError if there is none."""
        for kind in self.kinds:
            if kind.type is event_type:
                return kind
        raise KeyError(event_type)

    @property
    def needing_payload(self) -> tuple[EventKind, ...]:
        """The kinds whose payload is required, which is the one that should be sealed."""
        return tuple(kind for kind in self.kinds if kind.payload is PayloadUse.REQUIRED)

    @cached_property
    def read(self) -> Callable[[Record], Event | ParkReason]:
        """Reads a record: its event, or the reason why every projection parks it.

        The function is made once, because a replay calls it for every event.
        """
        prefix, start = self.prefix, len(self.prefix)
        roles = self.grammar[start:].split(".")
        count = len(roles)
        missing = [at for at, role in enumerate(_ROLES) if role not in roles]
        known = {
            kind.name: (kind, kind.type, kind.has_target, kind.has_catalog) for kind in self.kinds
        }
        shared = known_tokens

        def read(record: Record) -> Event | ParkReason:
            subject = record.subject
            tokens = subject[start:].split(".")
            if len(tokens) != count or not subject.startswith(prefix):
                return ParkReason.SUBJECT
            if record.stored_headers and record.is_marker:
                return ParkReason.MARKER
            if missing:
                for at in missing:
                    tokens.insert(at, NONE)
            origin, target, catalog, name = tokens
            entry = known.get(name)
            if entry is None:
                return ParkReason.UNKNOWN_TYPE
            kind, event_type, has_target, has_catalog = entry
            try:
                origin = shared[origin]
                if has_target:
                    target = shared[target]
                if has_catalog:
                    catalog = shared[catalog]
            except KeyError:
                return _event_with_new_tokens(record, kind, origin, target, catalog)
            return Event(record, kind, event_type, origin, target, catalog, True)

        return read


def _event_with_new_tokens(
    record: Record, kind: EventKind, origin: str, target: str, catalog: str
) -> Event:
    """An event with a token that was never met before and may not be usable."""
    usable = (
        is_usable_token(origin)
        and (not kind.has_target or is_usable_token(target))
        and (not kind.has_catalog or is_usable_token(catalog))
    )
    if usable:
        origin, target, catalog = map(same_token, (origin, target, catalog))
    return Event(record, kind, kind.type, origin, target, catalog, usable)
