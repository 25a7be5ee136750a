"""The selected row, which the inspector and the commands are about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from natster_tui.engine.history.document_story import Share
from natster_tui.engine.projecting.projector import Projector
from natster_tui.events.event import Record
from natster_tui.projections.api import Projection


@dataclass(frozen=True, slots=True)
class EventSelection:
    """The event at a sequence; `record` is None if it is not loaded."""

    seq: int
    record: Record | None


@dataclass(frozen=True, slots=True)
class DocumentSelection:
    """A document of a projection; `share` is the share that its row shows in a narrowed pane."""

    projection: Projection[Any]
    key: str
    share: Share | None = None


@dataclass(frozen=True, slots=True)
class ProjectorSelection:
    """A projector."""

    projector: Projector


Selection = EventSelection | DocumentSelection | ProjectorSelection
