"""The description of a kind of event: its names, its look, its two accounts and its payload.

Natster's own kinds are declared in `natster_kinds`; what they do to a state is in the projections.
The timeline, the wording, the filter and its completions, the publish form and command, the help
and the preflight of a rebuild are all made from the kinds of the log's system (see `system`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pydantic import BaseModel

PayloadModel: TypeAlias = "Callable[[], type[BaseModel]]"


class Direction(Enum):
    """Which way something goes between the two accounts."""

    TO_TARGET = "→"
    FROM_TARGET = "←"


class PayloadUse(Enum):
    """What the projections need the payload for."""

    NONE = "nothing"
    ADVISORY = "read if it is readable; the event counts without it, too"
    REQUIRED = "an event whose payload does not fit the model is parked"


@dataclass(frozen=True, slots=True)
class EventKind:
    """One kind of event.

    `word` is the short word that rows show and filters take. `glyph` and `plain_glyph` mark its
    rows, the second on terminals that show ASCII only; `style` names their colour. `meaning` is
    the help's text; `origin` and `target` say who the two accounts are. All kinds use the origin,
    those with a `direction` also the target, and those with `has_catalog` also the catalog.
    `names_account` says that the payload announces what the origin is called. `payload_model`
    gives the pydantic model of the payload; it is a function so that the table alone does not
    import pydantic.
    """

    type: StrEnum
    word: str
    glyph: str
    plain_glyph: str
    style: str
    meaning: str
    origin: str = "the account"
    target: str = ""
    direction: Direction | None = None
    has_catalog: bool = False
    names_account: bool = False
    payload: PayloadUse = PayloadUse.NONE
    payload_model: PayloadModel | None = None

    @property
    def name(self) -> str:
        """The name in full, which is the last token of the subject."""
        return self.type.value

    @property
    def has_target(self) -> bool:
        """Whether something is done to another account, the target."""
        return self.direction is not None
