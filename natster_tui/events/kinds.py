"""The kinds of events: one table from which everything else about them follows.

The timeline, the wording, the filter and its completions, the publish form and command, the help
and the preflight of a rebuild read this table. What an event does to a state is not here: that is
the rule of each projection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pydantic import BaseModel

PayloadModel: TypeAlias = "Callable[[], type[BaseModel]]"


class EventType(StrEnum):
    """What can have happened, as the last token of a subject says it."""

    INITIALIZED = "natster_initialized"
    CONTEXT_BOUND = "context_bound"
    SHARED = "catalog_shared"
    UNSHARED = "catalog_unshared"
    IMPORTED = "catalog_imported"


class Direction(Enum):
    """Which of two accounts something goes to."""

    TO_TARGET = "→"
    FROM_TARGET = "←"


class PayloadUse(Enum):
    """What the projections need the payload for."""

    NONE = "nothing"
    ADVISORY = "read if it is readable; the event counts without it, too"
    REQUIRED = "an event whose payload does not fit the model is parked"


@dataclass(frozen=True, slots=True)
class EventKind:
    """All that is known about one kind of event, apart from what it does to a state.

    `word` is the short word that rows show and filters take. `glyph` and `plain_glyph` mark its
    rows, the second on terminals that show ASCII only; `style` names their colour. `meaning` says
    in the help what happened. `direction` is there where the subject names a target and a catalog
    as well; the other kinds use the origin alone. `payload_model` gives the pydantic model of the
    payload; it is a function so that nobody imports pydantic for a look at the table.
    """

    type: EventType
    word: str
    glyph: str
    plain_glyph: str
    style: str
    meaning: str
    direction: Direction | None = None
    payload: PayloadUse = PayloadUse.NONE
    payload_model: PayloadModel | None = None

    @property
    def name(self) -> str:
        """The name in full, which is the last token of the subject."""
        return self.type.value

    @property
    def has_parties(self) -> bool:
        """Whether the subject names an origin, a target and a catalog."""
        return self.direction is not None


def _initialized_model() -> type[BaseModel]:
    from natster_tui.events.payloads import InitializedPayload

    return InitializedPayload


def _context_model() -> type[BaseModel]:
    from natster_tui.events.payloads import ContextBoundPayload

    return ContextBoundPayload


KINDS: tuple[EventKind, ...] = (
    EventKind(
        EventType.INITIALIZED,
        word="initialized",
        glyph="✦",
        plain_glyph="*",
        style="good",
        meaning="an account joined",
        payload=PayloadUse.ADVISORY,
        payload_model=_initialized_model,
    ),
    EventKind(
        EventType.CONTEXT_BOUND,
        word="bound",
        glyph="@",
        plain_glyph="@",
        style="second",
        meaning="an account was tied to a web login; its secrets show as ••••",
        payload=PayloadUse.REQUIRED,
        payload_model=_context_model,
    ),
    EventKind(
        EventType.SHARED,
        word="shared",
        glyph="⇄",
        plain_glyph="=",
        style="marked",
        meaning="an owner gave another account access to a catalog",
        direction=Direction.TO_TARGET,
    ),
    EventKind(
        EventType.UNSHARED,
        word="unshared",
        glyph="⊘",
        plain_glyph="x",
        style="warn",
        meaning="an owner took that access back",
        direction=Direction.TO_TARGET,
    ),
    EventKind(
        EventType.IMPORTED,
        word="imported",
        glyph="⇣",
        plain_glyph="v",
        style="accent",
        meaning="a recipient took the catalog into its own collection",
        direction=Direction.FROM_TARGET,
    ),
)
"""Every kind, in the order in which lists show them."""


def kind_of(event_type: EventType) -> EventKind:
    """The entry of a type."""
    return next(kind for kind in KINDS if kind.type is event_type)
