"""The kinds of Natster's events: one table. Another kind is another entry, and a rule for it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from natster_tui.events.event_kind import Direction, EventKind, PayloadUse

if TYPE_CHECKING:
    from pydantic import BaseModel


class EventType(StrEnum):
    """The types of Natster's events, as the last token of a subject names them."""

    INITIALIZED = "natster_initialized"
    CONTEXT_BOUND = "context_bound"
    SHARED = "catalog_shared"
    UNSHARED = "catalog_unshared"
    IMPORTED = "catalog_imported"


def _initialized_model() -> type[BaseModel]:
    from natster_tui.events.payloads import InitializedPayload

    return InitializedPayload


def _context_model() -> type[BaseModel]:
    from natster_tui.events.payloads import ContextBoundPayload

    return ContextBoundPayload


KINDS = (
    EventKind(
        EventType.INITIALIZED,
        word="initialized",
        glyph="✦",
        plain_glyph="*",
        style="good",
        meaning="an account joined",
        names_account=True,
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
        origin="owner",
        target="recipient",
        direction=Direction.TO_TARGET,
        has_catalog=True,
    ),
    EventKind(
        EventType.UNSHARED,
        word="unshared",
        glyph="⊘",
        plain_glyph="x",
        style="warn",
        meaning="an owner took that access back",
        origin="owner",
        target="recipient",
        direction=Direction.TO_TARGET,
        has_catalog=True,
    ),
    EventKind(
        EventType.IMPORTED,
        word="imported",
        glyph="⇣",
        plain_glyph="v",
        style="accent",
        meaning="a recipient took the catalog into its own collection",
        origin="importer",
        target="owner",
        direction=Direction.FROM_TARGET,
        has_catalog=True,
    ),
)
