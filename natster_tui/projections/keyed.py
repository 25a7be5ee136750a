"""The base class for projections of your own: one document per key, and a rule for it.

    class Activity(BaseModel):
        model_config = ConfigDict(frozen=True)
        events: int
        last_seen: int

    class ActivityProjection(KeyedProjection[Activity]):
        name = "activity"
        bucket = "PROJ_ACTIVITY"
        version = 1
        key_noun = "account"
        uses = frozenset(EventType)
        keys = (Part.ORIGIN,)
        model = Activity

        def rule(self, document, event, key):
            events = 1 if document is None else document.events + 1
            return Activity(events=events, last_seen=event.time)

    projection = ActivityProjection()

The rest follows from that: which documents an event may change, how the events of one key are found
in the log, and how documents are stored and loaded. The two built-in projections have states that
are cheaper to change than documents, so they derive from `Projection` itself.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from enum import Enum
from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from natster_tui.errors import DocumentRefusedError, RuleFailedError
from natster_tui.events.event import Event
from natster_tui.events.natster import NATSTER
from natster_tui.events.parking import ParkReason
from natster_tui.events.sealed_payload import Unopened
from natster_tui.events.system import EventSystem
from natster_tui.events.tokens import NO_ACCOUNT, NONE
from natster_tui.projections.api import Projection, unopened_error
from natster_tui.projections.documents import Document, encode_document
from natster_tui.projections.registering.raised import described_error, first_problem
from natster_tui.text.safe_text import safe_text

Model = TypeVar("Model", bound=BaseModel)


class Folding:
    """The event that a rule is at; rules of all projections run in one thread.

    `seq` is the event's sequence, 0 between events.
    """

    __slots__ = ("seq",)

    def __init__(self) -> None:
        self.seq = 0


folding = Folding()


class Part(Enum):
    """A part of a subject that can be a document's key."""

    ORIGIN = "origin"
    TARGET = "target"
    CATALOG = "catalog"


class KeyedProjection(Projection[Model], Generic[Model]):
    """A projection whose states are its documents, each an instance of a pydantic model.

    `keys` are the parts of an event's subject that are keys: the rule is called once for each of
    them. `model` is the document; it must be frozen. Set `opens_payloads` if the rule reads
    `event.payload`; then an event whose key is not available stops the projection, and one whose
    key was destroyed on purpose is parked.
    """

    keys: tuple[Part, ...] = (Part.ORIGIN,)
    model: type[Model]
    opens_payloads: bool = False
    system: EventSystem = NATSTER
    """The events of the log that it is folded from."""

    checks_input = False
    """Whether to detect a rule that changes the document it was given; this takes time."""

    @abstractmethod
    def rule(self, document: Model | None, event: Event, key: str) -> Model | ParkReason | None:
        """The document of `key` after an event.

        `document` is the document before, None if there was none. Return it unchanged (or None) if
        the event does not matter, and a ParkReason to park the event.
        Deterministic: no clock, no randomness, no files, no network.
        """

    def apply(self, states: dict[str, Model], event: Event) -> tuple[str, ...] | ParkReason:
        """See `Projection.apply`. Raises RuleFailedError, and nothing is changed."""
        if not event.usable:
            return ParkReason.TOKEN
        seal = event.record.seal
        if self.opens_payloads and seal is not None:
            if seal.unopened is Unopened.UNAVAILABLE:
                raise unopened_error(event, seal)
            if seal.unopened is Unopened.ERASED:
                return ParkReason.ERASED
        changed: dict[str, Model] = {}
        for key in self.keys_of(event):
            before = states.get(key)
            after = self._call_rule(before, event, key)
            if isinstance(after, ParkReason):
                return after
            if after is not None and (before is None or not _same(before, after)):
                changed[key] = after
        states.update(changed)
        return tuple(changed)

    def _call_rule(self, before: Model | None, event: Event, key: str) -> Model | ParkReason | None:
        """Call the rule and check what it returns."""
        checks = self.checks_input
        given = before.model_dump_json() if checks and before is not None else ""
        facts = _facts(event) if checks else ()
        folding.seq = event.seq
        try:
            after = self.rule(before, event, key)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            # Whatever it is, it ends this rule only: `sys.exit` does not end the program.
            raise self.failure(event, described_error(error)) from error
        finally:
            folding.seq = 0
        if given and before is not None and before.model_dump_json() != given:
            raise self.failure(event, "it changed the document that it was given")
        if checks and _facts(event) != facts:
            raise self.failure(event, "it changed the event that it was given")
        if isinstance(after, (self.model, ParkReason)) or (after is None and before is None):
            return after
        raise self.failure(
            event, f"it returned {type(after).__name__} instead of {self.model.__name__}"
        )

    def failure(self, event: Event, why: str) -> RuleFailedError:
        """The error for a rule that failed at an event."""
        return RuleFailedError(
            f"the rule of {self.name} failed at event {event.seq:,} ({event.type.value}): "
            f"{safe_text(why, 300)}; correct it, then try again",
            event.seq,
        )

    def holder(self, key: str, _state: Model) -> str:
        """See `Projection.holder`: the document's key, if that is an account."""
        return NO_ACCOUNT if Part.CATALOG in self.keys else key

    def keys_of(self, event: Event) -> tuple[str, ...]:
        """See `Projection.keys_of`."""
        tokens = [getattr(event, field) for field in self._key_fields]
        return tuple(dict.fromkeys(token for token in tokens if token != NONE))

    @cached_property
    def _key_fields(self) -> tuple[str, ...]:
        """The attributes of an event that are keys; finding them each time would be slow."""
        return tuple(part.value for part in self.keys)

    def key_filters(self, key: str) -> tuple[str, ...]:
        """See `Projection.key_filters`."""
        filters = []
        for part in self.keys:
            if part is Part.ORIGIN:
                # Not `KEY.*.*.*`, which leaves out subjects with a literal `>` among the tokens.
                filters.append(self.system.of_origin(key))
            elif part is Part.TARGET:
                filters.append(self.system.subject(target=key))
            else:
                filters.append(self.system.subject(catalog=key))
        return tuple(filters)

    def copy(self, state: Model) -> Model:
        """See `Projection.copy`; a frozen document needs none."""
        return state

    def document(self, key: str, state: Model, _lists: Mapping[str, Any]) -> Document:
        """See `Projection.document`. Raises DocumentRefusedError."""
        try:
            document: Document = state.model_dump(mode="json", exclude_none=True, warnings=False)
        except Exception as error:
            raise self._refused(key, described_error(error)) from error
        if isinstance(document, dict):
            return document
        raise self._refused(key, "it is no object with fields")

    def encode(self, key: str, state: Model) -> bytes:
        """See `Projection.encode`. Raises DocumentRefusedError.

        A document is stored only if it is the same when it is read back: a projector goes on from
        it, and a verify compares with it.
        """
        document = self.document(key, state, {})
        try:
            whole = encode_document(document)
        except (TypeError, ValueError, RecursionError) as error:
            raise self._refused(key, f"it is no JSON: {described_error(error)}") from error
        try:
            back = self._read(whole)
        except ValueError as error:
            raise self._refused(key, f"its model refuses it: {error}") from error
        if not _same(state, back):
            again = self.document(key, back, {})
            names = [name for name in again | document if again.get(name) != document.get(name)]
            if names or encode_document(again) != whole:
                which = f": {names[0]}" if names else ""
                raise self._refused(key, f"it is another one when it is read back{which}")
        return whole

    def decode(self, document: bytes) -> Model:
        """See `Projection.decode`."""
        try:
            return self._read(document)
        except ValueError as error:
            raise ValueError(f"not a document of {self.name}: {error}") from error

    def _read(self, document: bytes) -> Model:
        """The document that JSON stands for. Raises ValueError, which says why it is none."""
        try:
            return self.model.model_validate_json(document)
        except ValidationError as error:
            raise ValueError(first_problem(error)) from error
        except Exception as error:
            raise ValueError(described_error(error)) from error

    def state_of(self, document: Document) -> Model:
        """See `Projection.state_of`."""
        return self.decode(encode_document(document))

    def _refused(self, key: str, why: str) -> DocumentRefusedError:
        return DocumentRefusedError(
            f"the document of {self.key_noun} {safe_text(key, 100)} cannot be stored: "
            f"{safe_text(why, 300)}"
        )


def _facts(event: Event) -> tuple[object, ...]:
    """The content of an event, for a comparison after the rule has run."""
    record = event.record
    return (
        event.seq, event.type, event.origin, event.target, event.catalog, event.usable,
        record.seq, record.time_ns, record.subject, record.payload, record.headers,
    )  # fmt: skip


def _same(one: BaseModel, other: BaseModel) -> bool:
    """Whether two documents have the same fields; pydantic's own comparison is slower."""
    return one is other or (
        one.__dict__ == other.__dict__ and one.__pydantic_extra__ == other.__pydantic_extra__
    )
